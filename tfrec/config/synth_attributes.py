"""Configuration of attributes that are guessed where the catalogue leaves them empty."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class AttributesConfig(Section):
    """Empty brands, colours and categories, filled from the title or by the most similar items."""

    enabled: bool = Field(False, description="Whether to fill them. The item texts change, so everything after does.")
    columns: list[str] = Field(["brand", "color", "category"], min_length=1, description="Columns of items to fill.")
    neighbours: int = Field(10, ge=1, le=1000, description="Most similar items with a value that vote.")
    sharpness: float = Field(4.0, ge=0, description="A vote weighs cosine similarity to this power.")
    least_confidence: float = Field(
        0.6, gt=0, le=1, description="Nothing is filled with less (share of the votes times similarity)."
    )
    least_mentions: int = Field(
        2, ge=1, description="A value is looked for in titles when this many items have it in its column."
    )
    check_items: int = Field(
        1000, ge=0, description="Items with a known value whose value is guessed too, to report how often it is right."
    )
