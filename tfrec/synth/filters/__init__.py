"""Checks that made samples must pass before anything trains on them."""
