"""Configuration of the training examples that tfrec makes itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section


class SynthesisConfig(Section):
    """Queries cut from the catalogue and labelled by BM25 and the untrained encoder together."""

    enabled: Literal["auto", True, False] = Field(
        "auto",
        description="auto makes them when a shop with searches has fewer than few_queries labelled ones to train on.",
    )
    few_queries: int = Field(500, ge=1, description="See enabled.")
    queries: int = Field(8000, ge=1, description="Queries to make.")
    items_per_query: int = Field(4, ge=1, description="Training pairs drawn for each of them, by the teacher's belief.")
    top: int = Field(20, ge=1, description="Items per made query that may be drawn, and never count as negatives.")
    negatives: int = Field(0, ge=0, description="Items ranked after those that serve as hard negatives.")
    max_share: float = Field(
        0.7, ge=0, le=1, description="At most this share of the search examples in a batch is made."
    )
