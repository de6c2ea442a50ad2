"""Attributes that the catalogue leaves empty, guessed with a confidence."""
