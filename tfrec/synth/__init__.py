"""More training examples, made offline from the shop's own catalogue."""
