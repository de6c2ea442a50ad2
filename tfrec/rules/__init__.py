"""A merchant's own rules: boosts, buries, pins, what is in stock first, what earns more; data in a YAML file."""
