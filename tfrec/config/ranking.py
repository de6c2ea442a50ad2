"""Configuration of ranking: what orders the best items of the fused score once more."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tfrec.config.base import Section
from tfrec.config.freeze import Freeze

Group = Literal[
    "scores", "words", "votes", "tastes", "links", "relations", "sales", "ages", "columns", "shopper"
]  # fmt: skip


class CrossEncoderConfig(Section):
    """An encoder that reads query and item together, for the best items of a search: the ranker hears what it says."""

    enabled: bool = Field(
        False,
        description="It needs hundreds of labelled training queries, minutes of training, and in serving the time of "
        "reading `best` texts for each search.",
    )
    encoder: str | None = Field(None, description="An installed transformer encoder; empty: the first of encoder.name.")
    best: int = Field(20, ge=2, le=100, description="Candidates that are read.")
    item_tokens: int = Field(48, ge=8, le=448, description="Pieces of an item's text that are read.")
    least_queries: int = Field(500, ge=20, description="Labelled training queries that it needs; else there is none.")
    freeze: Freeze = Field("top:3", description="As encoder.freeze.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of activations that are left out in training.")
    learning_rate: float = Field(1e-4, gt=0, description="Greatest rate of Adam; it rises and falls to 0.")
    batch_queries: int = Field(8, ge=1, description="Queries of a training step.")
    items_of_query: int = Field(8, ge=2, le=32, description="Items of each: a right one and hard wrong ones.")
    max_minutes: float | None = Field(5, gt=0, description="Minutes of training; empty: until max_steps.")
    max_steps: int | None = Field(None, ge=1, description="Steps of training; empty: until max_minutes.")

    @model_validator(mode="after")
    def _bounded(self) -> CrossEncoderConfig:
        if self.max_minutes is None and self.max_steps is None:
            raise ValueError("give max_minutes or max_steps, or the training never ends")
        return self


class RankingConfig(Section):
    """A second stage: it looks at the best items by the fused score, at their texts and at what they have sold.

    For recommendation it learns from windows of time: features are from before a window, what shoppers took in it is
    right. For search it learns from the judged queries of dev, for searches of known shoppers from what a search log
    says they took. It acts after training: nothing here makes a trained
    model stale.
    """

    enabled: Literal["auto", "always", "never"] = Field(
        "auto",
        description="auto = for each task where it gains beyond chance in a window or on queries that had no part in "
        "its training. Recommendations never with data.interactions.repeats: it orders what a shopper has not taken "
        "yet. It takes time in serving.",
    )
    candidates: int = Field(100, ge=20, le=1000, description="Items of the fused score that are ordered once more.")
    model: Literal["linear", "dcn"] = Field(
        "dcn",
        description="dcn = a cross layer beside a dense one (DCN-v2); linear = one weight per feature.",
    )
    features: list[Group] = Field(
        ["scores", "words", "votes", "tastes", "links", "relations", "sales", "ages", "columns", "shopper"],
        min_length=1,
        description="Groups of features: scores of the scorers; words of the query by field, with their order and "
        "place; votes of the best candidates for brand, category and the like; tastes: the shopper's own "
        "share of these, and what was taken before (where words and a history come together); links of the history's "
        "items to each candidate, summed and the strongest; relations likewise, where data.relations has them; sales "
        "of several windows and their trend; days since the first and the last sale; price, quantity and numeric "
        "columns beside the shopper's habit; how much and what kind of history there is.",
    )
    seeds: int = Field(1, ge=1, le=10, description="Models whose scores are averaged; each costs time in serving.")
    epochs: int = Field(8, ge=1, description="Passes over the windows' shoppers.")
    learning_rate: float = Field(2e-3, gt=0, description="Rate of Adam at the start; it falls to 0.")
    pull: float = Field(1e-3, ge=0, description="Weight of the squared parameters: pulls towards the fused order.")
    least_queries: int = Field(
        200,
        ge=20,
        description="Queries of dev that a ranker for search needs to learn from, and known shoppers who searched in "
        "dev's weeks that one for personalised search needs; else there is none.",
    )
    cross_encoder: CrossEncoderConfig = Field(
        default_factory=CrossEncoderConfig, description="Reads query and item together; taught by training queries."
    )
    windows: int = Field(4, ge=2, le=12, description="Windows of training data before the newest known purchase.")
    window_days: float = Field(30, gt=0, description="Length of a window.")
    least_shoppers: int = Field(
        100,
        ge=10,
        description="Shoppers with earlier and new purchases a window needs; else it and older ones are left out.",
    )
