"""Queries written by a large language model behind an OpenAI-compatible endpoint (source "llm")."""
