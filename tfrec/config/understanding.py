"""Configuration of what queries mean."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class UnderstandingConfig(Section):
    """Category, attributes, price wishes, negation and language of typed queries. It acts after training."""

    enabled: bool = Field(
        True, description="Export the signatures understand and search_interpreted; a search without them is the same."
    )
    attributes: list[str] | None = Field(
        None,
        description="Item columns whose values are found in queries (brand, color, size). null = all text columns with "
        "short values that several items share.",
    )
