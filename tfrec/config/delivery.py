"""Configuration of evaluation, export and serving."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section
from tfrec.config.images import SentPicturesConfig


class EvaluationConfig(Section):
    """Retrieval from the whole catalogue, beside baselines."""

    relevant_gain: float = Field(
        0.5, gt=0, le=1, description="Gain from which an item counts as relevant in Recall, MRR, MAP."
    )
    depth: int = Field(100, ge=10, description="Ranks that are retrieved per query.")
    baselines: list[Literal["bm25", "bm25_tuned", "zero_shot", "popularity"]] = Field(
        ["bm25", "bm25_tuned", "zero_shot"],
        description="Baselines of search, in the same table. bm25 reads brand and title with k1 1.2 and b 0.75; "
        "bm25_tuned is the index that the lexical scorer has, all texts, tuned by the training queries.",
    )
    recommendation_baselines: list[Literal["popularity", "item_knn", "ease", "als", "bpr"]] = Field(
        ["popularity", "item_knn", "ease"],
        description="Baselines of recommendation, each tuned on dev; als and bpr take longer.",
    )
    item_group: str | None = Field(
        None, description="Column of items (category, brand) by whose values recommendation is reported apart."
    )
    resamples: int = Field(10000, ge=100, description="Bootstrap resamples of the confidence interval.")


class ExportConfig(Section):
    """The SavedModel."""

    precision: Literal["auto", "bf16", "f32"] = Field(
        "auto",
        description="auto takes bf16 for the encoder where the CPU is fast with it and 98 % of the top 10 agree.",
    )
    warmup_requests: int = Field(
        20, ge=0, le=1000, description="Recorded requests that a server replays before it reports ready."
    )
    pictures: SentPicturesConfig = Field(default_factory=lambda: SentPicturesConfig())


class ServingConfig(Section):
    """The embedded server, and where the client looks for it."""

    host: str = Field("127.0.0.1", description="Interface; loopback unless you say otherwise.")
    port: int = Field(8500, ge=0, le=65535, description="gRPC port, TF Serving's default.")
    model_name: str = Field("tfrec", pattern=r"^[^/:\p{C}]+$", description="Name that requests give, without / and :.")
