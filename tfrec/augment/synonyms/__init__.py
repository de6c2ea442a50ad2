"""Synonym tables: mined from the shop itself, merged with its own list, guarded against opposites and numbers."""
