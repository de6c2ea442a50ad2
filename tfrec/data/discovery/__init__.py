"""Looks at a folder of unknown files and proposes the configuration for it, with a reason for every choice."""
