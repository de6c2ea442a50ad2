"""Judgments that people give by hand: what they pressed, kept as it came, and the file of searches made of it."""
