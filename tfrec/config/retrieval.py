"""Configuration of retrieval: which scorers rank the catalogue, and what each of them is made from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from tfrec.config.base import Section
from tfrec.config.fusion import FusionConfig
from tfrec.plugins import SCORERS as PLUGGED
from tfrec.plugins import plugin_names

SCORERS = ("dense", "lexical", "collaborative", "popularity", "recency")
COLUMN, RELATION = "column:", "relation:"


class DenseScorerConfig(Section):
    """Likeness of the towers' vectors."""

    precision: Literal["f32", "bf16", "int8"] = Field(
        "f32",
        description="How the catalogue is stored for the first pass. bf16 pays for batches of 8 and more on CPUs that "
        "multiply it, int8 reads a quarter of the memory; both score their best items again in f32.",
    )
    rescore: int = Field(100, ge=1, description="Items per request that bf16 and int8 score again in f32.")
    probes: int | None = Field(
        None,
        ge=1,
        description="For a million items and more: groups of about 100 near items (int8) that a query reads; "
        "others have the score of their group's mean. null reads all items: exact.",
    )
    block: int = Field(16384, ge=256, description="Items scored at once when only the best are wanted.")


class LexicalScorerConfig(Section):
    """BM25F over the words of the items' texts."""

    fields: dict[str, float] | None = Field(
        None,
        description="Item columns that are searched, each with its weight; text is the rendered template. null = all "
        "columns of the catalogue that hold words about their item.",
    )
    tune: Literal["auto", "off"] = Field(
        "auto",
        description="auto averages many settings of k1, b and the fields' weights, and labelled queries say how much "
        "each counts; with none all count alike. off takes the weights, k1 and b below as they are.",
    )
    queries: int = Field(500, ge=0, description="Labelled queries that tune, at most; more cost time and say no more.")
    language: str = Field("auto", description="Language of the stemmer; auto = english, none = no stemming.")
    k1: float = Field(1.2, ge=0, description="How slowly repeated words saturate, where tune is off.")
    b: float = Field(0.75, ge=0, le=1, description="How much long texts are held back, where tune is off.")

    @field_validator("fields")
    @classmethod
    def _weighted(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None and (not value or min(value.values()) <= 0):
            raise ValueError("at least one field is needed, and weights must be above 0")
        return value


class CollaborativeScorerConfig(Section):
    """Items that were taken together, applied to what the shopper took before."""

    model: Literal["auto", "ease", "item_knn", "als"] = Field(
        "auto", description="auto = ease up to largest_ease items, item_knn above; als needs the package implicit."
    )
    neighbours: int = Field(
        200, ge=1, description="Per item the number of others that may speak for it, the strongest."
    )
    regularisation: float = Field(300.0, gt=0, description="Lambda of ease.")
    shrinkage: float = Field(10.0, ge=0, description="Added to item_knn's denominator: rare pairs count less.")
    factors: int = Field(64, ge=1, description="Length of als' vectors.")
    half_life: float | None = Field(
        50.0, gt=0, description="After that many later items of the history an item counts half; null = all alike."
    )
    purchase_half_life_days: float | None = Field(
        None,
        gt=0,
        description="Age at which purchases that the weights are made from count half, before the newest one; null = "
        "all alike. With it take a smaller lambda. On a gift shop's purchases 30 days gave a tenth more Recall@20.",
    )
    popularity_discount: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Power of an item's sales that its scores are divided by: shows more of the catalogue for a little "
        "less Recall.",
    )
    largest_ease: int = Field(20000, ge=1, description="ease inverts an items x items matrix; see model.")


class RetrievalConfig(Section):
    """Scorers over one catalogue. They act after training: nothing here makes a trained model stale."""

    scorers: list[str] = Field(
        ["dense", "lexical", "collaborative", "popularity"],
        description="Any of dense, lexical, collaborative, popularity, recency, column:NAME for a numeric item column, "
        "relation:KIND for items that a row of data.relations ties to the history's, and what other packages bring "
        "(entry points tfrec.scorers). A scorer whose data the shop does not have is left out. Popularity, recency and "
        "columns rank for shoppers of whom nothing is known; beside words or a history they, and relations, count "
        "only where dev surely gains by it.",
    )
    dense: DenseScorerConfig = Field(default_factory=lambda: DenseScorerConfig())
    lexical: LexicalScorerConfig = Field(default_factory=lambda: LexicalScorerConfig())
    collaborative: CollaborativeScorerConfig = Field(default_factory=lambda: CollaborativeScorerConfig())
    popularity_half_life_days: float | None = Field(
        30, gt=0, description="Age at which a sale counts half for the popularity scorer; null = all alike."
    )
    relation_half_life: float | None = Field(
        5, gt=0, description="Later items of a history after which one counts half for relation:KIND; null = all alike."
    )
    fusion: FusionConfig = Field(default_factory=lambda: FusionConfig())
    filters: list[str] = Field(
        default_factory=list,
        description="Item columns that requests may filter by: category=shoes, price<=50. Further columns of the file "
        "are kept when data.items.columns names them.",
    )

    @field_validator("scorers")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for name in value:
            of_data = any(name.startswith(kind) and len(name) > len(kind) for kind in (COLUMN, RELATION))
            if name not in SCORERS and not of_data and name not in (others := plugin_names(PLUGGED)):
                known = ", ".join([*SCORERS, *others, "column:NAME"])
                raise ValueError(f"there is no scorer {name!r}: use {known} or relation:KIND")
        if not value or len(set(value)) < len(value):
            raise ValueError("scorers must name at least one scorer, and each only once")
        return value
