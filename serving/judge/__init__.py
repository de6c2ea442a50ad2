"""A page on which people judge what a shop's search finds."""
