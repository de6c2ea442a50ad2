"""Queries made by filling the shapes of real ones from catalogue fields (source "templates")."""
