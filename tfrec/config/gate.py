"""Configuration of the gate between an export and its promotion."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section


class GateConfig(Section):
    """A candidate against the version that is served, on the same held-out queries and shoppers.

    Value thresholds bound what the candidate reaches, change thresholds what it loses. A loss that is beyond chance as
    well refuses. One that may be chance passes, for half of all sound candidates lose a little by chance; a large one
    is doubtful. Neither is promoted.
    """

    split: Literal["dev", "test", "folds"] | None = Field(
        None, description="Held-out queries and shoppers; null takes test where there is one, else what chooses."
    )
    most_requests: int = Field(2000, ge=10, description="Queries and shoppers at most, of each.")
    least: dict[Literal["search", "recommendation", "own titles"], float] = Field(
        {},
        description="The least that the candidate must reach: nDCG@10 of search, nDCG@20 of recommendation, MRR@10 of "
        "items found by their own titles.",
    )
    most_lost: float = Field(0.02, ge=0, le=1, description="The most that any of these may lose.")
    most_lost_by_chance: float = Field(
        0.05, ge=0, le=1, description="The most that it may lose where the loss may be chance; beyond it is doubtful."
    )
    most_lost_in_slice: float = Field(
        0.05, ge=0, le=1, description="The most that it may lose in a slice, beyond the chance of all slices together."
    )
    least_in_slice: int = Field(20, ge=10, description="Requests from which a slice counts.")
    most_items_lost: float = Field(
        0.2, ge=0, le=1, description="Share of the served catalogue that the candidate may lack."
    )
    most_larger: float = Field(1.5, gt=0, description="The candidate's bytes, divided by the served version's.")
    most_slower: float = Field(
        1.5, gt=0, description="Processor time of one search, divided by the served version's; beyond it is doubtful."
    )
    most_changed: float | None = Field(
        None, ge=0, le=1, description="Share of queries whose first page may change; beyond it is doubtful. null = any."
    )
