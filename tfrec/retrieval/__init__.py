"""Scorers over one catalogue and their fusion, as graph functions of stock TensorFlow ops."""
