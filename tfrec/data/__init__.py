"""Reads, cleans, splits and serves the data of a shop."""
