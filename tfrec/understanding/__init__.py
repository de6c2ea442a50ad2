"""What a query means: category, brand, colour and size, numbers, price wishes, negation, language, spelling."""
