"""Searches of known shoppers: the words, what the shopper had done before, and what was taken."""
