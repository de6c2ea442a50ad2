"""Misspelt words of queries: found, mended by the shop's own words and their neighbours, all inside the graph."""
