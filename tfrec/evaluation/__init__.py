"""Measuring a model: retrieval from the whole catalogue, metrics, baselines, significance, tables. NumPy only."""
