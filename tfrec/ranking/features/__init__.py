"""What a ranker looks at: one file for each group of features."""
