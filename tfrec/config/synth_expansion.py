"""Configuration of labels spread from the labelled pairs to what is like them."""

from __future__ import annotations

from pydantic import Field, model_validator

from tfrec.config.base import Section


class ExpansionConfig(Section):
    """Similar queries and similar items of each labelled pair, by the encoder and BM25 together."""

    queries: int = Field(
        4000, ge=0, description="Queries cut from the catalogue among which similar ones are looked for."
    )
    labelled: int = Field(
        2000,
        ge=1,
        description="At most so many labelled queries lend their labels, drawn by the seed when there are more.",
    )
    items_per_pair: int = Field(3, ge=0, description="At most so many similar items per labelled pair.")
    queries_per_query: int = Field(
        5, ge=0, description="At most so many similar queries, of each kind, per labelled query."
    )
    lexical_weight: float = Field(
        0.5, ge=0, le=1, description="Part of BM25 in a similarity; the encoder has the rest."
    )
    minimum: float = Field(
        0.4, ge=0, le=1, description="Least similarity that a label may cross: 0 = like any other, 1 = the same."
    )
    duplicate: float = Field(
        0.95, gt=0, le=1, description="From this similarity on two texts say the same: they teach nothing new."
    )
    most: int = Field(20000, ge=1, description="At most so many samples, the most certain ones.")

    @model_validator(mode="after")
    def _window(self) -> ExpansionConfig:
        if self.minimum >= self.duplicate:
            raise ValueError(f"minimum ({self.minimum}) must be below duplicate ({self.duplicate})")
        return self
