"""Reads one table of a shop, in whatever file it comes, as clean columns of text."""
