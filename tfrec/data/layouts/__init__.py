"""Puts a shop's tables together: joins, long forms, variants, and the layouts of shop systems (YAML files beside)."""
