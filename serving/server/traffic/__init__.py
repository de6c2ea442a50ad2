"""Requests divided between versions, and mirrored to another one."""
