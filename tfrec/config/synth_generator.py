"""Configuration of the query generator that is trained on the shop's own pairs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tfrec.config.base import Section


class GeneratorConfig(Section):
    """A small Transformer decoder that reads an item's text and writes queries for it (synthesis source generator)."""

    minimum_pairs: int = Field(
        200, ge=1, description="With fewer (item, query) training pairs there is no generator; templates stand in."
    )
    minimum_queries: int = Field(
        20, ge=1, description="With fewer different training queries there is none either: it would recite them."
    )
    max_pairs: int = Field(
        20000, ge=1, description="Pairs that are read, drawn by the seed; token vectors take about 35 KB for each item."
    )
    queries: int = Field(8000, ge=1, description="Queries to sample, spread evenly over the catalogue.")
    per_item: int = Field(8, ge=1, description="At most so many of them for one item.")
    novel_only: bool = Field(True, description="Leave out queries that the training split has; their labels are real.")
    warm_up: Literal["none", "catalogue", "templates"] = Field(
        "templates",
        description="Made pairs that teach copying before the real ones: the templates', or cut from item texts.",
    )
    warm_up_pairs: int = Field(2000, ge=1, description="How many of them.")
    warm_up_steps: int = Field(200, ge=0, description="Batches of them.")
    steps: int = Field(800, ge=1, description="Batches of real pairs; fewer when held-out queries stop gaining.")
    batch_size: int = Field(64, ge=1, description="Pairs per batch.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak rate of AdamW; linear rise, then cosine.")
    weight_decay: float = Field(0.01, ge=0, description="Decoupled decay of matrices.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout on the decoder's hidden states.")
    layers: int = Field(2, ge=1, le=8, description="Decoder layers.")
    width: int = Field(128, ge=16, description="Width of the decoder.")
    heads: int = Field(4, ge=1, description="Attention heads; divides width.")
    query_pieces: int = Field(16, ge=3, le=64, description="Word pieces of a query, end mark included.")
    vocabulary: int = Field(
        4000, ge=1, description="Most frequent word pieces of training queries that may be written without copying."
    )
    vocabulary_queries: int = Field(
        2, ge=1, description="Different training queries that a piece needs for that; the pieces of others are copied."
    )
    held_out: float = Field(
        0.1, ge=0, lt=0.5, description="Share of training queries on which the best weights are chosen; needs ten."
    )
    evaluate_every: int = Field(50, ge=1, description="Steps between evaluations on them and between checkpoints.")
    patience: int = Field(4, ge=1, description="Evaluations without a gain after which training stops.")
    top_p: float = Field(0.9, gt=0, le=1, description="Nucleus: the likeliest pieces with together this probability.")
    temperature: float = Field(0.9, gt=0, description="Below 1 likely pieces are drawn more often than the model says.")
    item_batch: int = Field(32, ge=1, description="Items that are sampled from at once.")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> GeneratorConfig:
        if self.width % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide width ({self.width})")
        return self
