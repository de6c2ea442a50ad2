"""Judging by hand: which queries and candidates are shown (`pool`), and what came of it (`report`)."""
