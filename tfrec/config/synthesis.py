"""Configuration of the training examples that tfrec makes itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tfrec.config.base import Section
from tfrec.config.synth_attributes import AttributesConfig
from tfrec.config.synth_behaviour import BehaviourConfig
from tfrec.config.synth_expansion import ExpansionConfig
from tfrec.config.synth_filters import FiltersConfig
from tfrec.config.synth_generator import GeneratorConfig
from tfrec.config.synth_llm import LlmConfig
from tfrec.config.synth_templates import TemplatesConfig


class ShareRamp(Section):
    """The made examples' share of each batch, as it moves from the first planned step of a run to the last."""

    start: float = Field(0.9, ge=0, le=1, description="Share of made examples in the first batch.")
    end: float = Field(0.3, ge=0, le=1, description="Share of made examples in the last batch.")


class SynthesisConfig(Section):
    """Training examples made from the shop's own data before training, labelled, filtered and mixed with its own."""

    enabled: Literal["auto", True, False] = Field(
        "auto",
        description="auto makes them when there are fewer than few_queries labelled queries to train on and the "
        "encoder was not pretrained, or purchases train it. Of a pretrained one they make no better ranking of unseen "
        "queries.",
    )
    few_queries: int = Field(500, ge=1, description="See enabled.")
    sources: list[str] = Field(
        default_factory=lambda: ["catalogue"],
        min_length=1,
        description="What makes them, in this order; `tfrec synth run --help` lists the names.",
    )
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Factor on how often the examples of a source are drawn, as in {templates: 2}; 1 where not named.",
    )
    queries: int = Field(8000, ge=1, description="Queries that the source catalogue cuts out of item texts.")
    labels: Literal["teacher", "parent", "both"] = Field(
        "both",
        description="Which items answer a query that was made from an item: those that BM25 and the encoder find "
        "together (teacher), that item (parent), or that item and the others as far as items_per_query allows (both).",
    )
    items_per_query: int = Field(
        4, ge=1, description="Training pairs drawn for each made query, by the teacher's belief."
    )
    top: int = Field(20, ge=1, description="Items per made query that may be drawn, and never count as negatives.")
    negatives: int = Field(0, ge=0, description="Items ranked after those that serve as hard negatives.")
    max_share: float = Field(
        0.7, ge=0, le=1, description="At most this share of the search examples in a batch is made; the same holds for "
        "recommendation examples."
    )  # fmt: skip
    share: ShareRamp | None = Field(
        None,
        description="{start, end}: the made share as a line over the planned steps, in place of max_share (made "
        "examples first, real ones later); empty: the same mixture throughout.",
    )
    rounds: int = Field(
        1,
        ge=1,
        le=10,
        description="Trainings in a row: from the second on the model before it is the teacher. Ends when dev no "
        "longer gains; the best round is kept.",
    )
    filters: FiltersConfig = Field(default_factory=lambda: FiltersConfig())
    templates: TemplatesConfig = Field(default_factory=lambda: TemplatesConfig())
    generator: GeneratorConfig = Field(default_factory=lambda: GeneratorConfig())
    llm: LlmConfig = Field(default_factory=lambda: LlmConfig())
    expansion: ExpansionConfig = Field(default_factory=lambda: ExpansionConfig())
    behaviour: BehaviourConfig = Field(default_factory=lambda: BehaviourConfig())
    attributes: AttributesConfig = Field(default_factory=lambda: AttributesConfig())
