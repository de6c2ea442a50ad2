"""Configuration of the queries that are made by filling the shapes of real ones."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class TemplatesConfig(Section):
    """Shapes of real queries (brand + type, attribute + type, use ...) filled from the fields of other items."""

    queries: int = Field(20000, ge=1, description="Queries to make; fewer where the catalogue does not yield so many.")
    prior: float = Field(
        5.0,
        gt=0,
        description="How many labelled queries the built-in shapes count for: with none labelled they are all.",
    )
    max_words: int = Field(8, ge=2, le=32, description="Longest query, in words.")
    slips: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of the queries with a typing mistake; empty takes it from the labelled queries.",
    )
    prefixes: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of the queries whose last word is half typed; empty takes it from the labelled queries.",
    )
    slip_confidence: float = Field(
        0.7, gt=0, le=1, description="Weight of a misspelt or half-typed query's examples; of a clean one's it is 1."
    )
    max_items: int = Field(
        100_000, ge=1, description="Items whose fields are read: all of a smaller catalogue, else a sample of it."
    )
