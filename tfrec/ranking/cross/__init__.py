"""A cross-encoder: query and item are read together, for the few best items of a search."""
