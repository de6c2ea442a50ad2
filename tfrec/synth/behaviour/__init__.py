"""Simulated behaviour: purchases that a collaborative model holds plausible, searches that end in clicks."""
