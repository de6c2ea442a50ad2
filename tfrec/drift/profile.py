"""The reference profile of a version: what its data looked like, without any query and without any shopper.

It lies in the export beside the warm-up records, where TensorFlow Serving does not look, and the manifest guards it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.drift.measures import bins_of
from tfrec.drift.profile_file import Profile
from tfrec.drift.sketch import Sketch
from tfrec.retrieval.tokens import Tokenizer

FORMAT = 1
_VECTORS, _CATEGORIES = 300, 30
Embed = Callable[[Sequence[str]], Any]


def profile_of(config: Config, shop: ShopData, embed_query: Embed, embed_item: Embed) -> Profile:
    """The profile of a version that is being exported.

    Args:
        config: retrieval.lexical.language, evaluation.item_group and the seed are read.
        shop: the prepared data.
        embed_query, embed_item: the version's own encoder, texts to vectors [n, D].
    """
    tokens = Tokenizer(config.retrieval.lexical.language)
    column = category_column(config, shop)
    known = {word for text in shop.item_texts for word in tokens(text)}
    queries = queries_of(shop)
    trained = set(shop.judgments("train"))
    known |= {word for query in trained for word in tokens(query)}
    held_out = [query for query in queries if query not in trained]
    facts: dict[str, Any] = {
        "format": FORMAT, "language": config.retrieval.lexical.language, "category": column,
        "queries": {"length": bins_of(lengths(tokens, queries)), **unknown_words(tokens, known, held_out)},
        "items": {"length": bins_of(lengths(tokens, shop.item_texts)), **_kinds_of(shop.items, column)},
    }  # fmt: skip
    if shop.has_interactions:
        facts["purchases"] = {"until": int(shop.interactions["timestamp"].max() or 0)}  # type: ignore[arg-type]
        facts["purchases"] |= _kinds_of(shop.items[shop.interactions["item"].to_list()], column)
    vectors = [
        np.asarray(embed(texts), np.float32) if texts else np.zeros([0, 1], np.float32)
        for embed, texts in (
            (embed_query, sample(queries, config.seed)),
            (embed_item, sample(shop.item_texts, config.seed)),
        )
    ]
    return Profile(facts, Sketch.of(known), Sketch.of(queries), Sketch.of(shop.item_ids), vectors[0], vectors[1])


def queries_of(shop: ShopData) -> list[str]:
    """All different queries of a shop, in the order of its file."""
    return shop.searches["query"].unique(maintain_order=True).to_list() if shop.has_searches else []


def category_column(config: Config, shop: ShopData) -> str:
    """The column of an item's group, "" where there is none."""
    column = config.evaluation.item_group or "category"
    return column if column in shop.items.columns else ""


def lengths(tokens: Tokenizer, texts: Iterable[str]) -> list[int]:
    """Words of each text."""
    return [len(tokens(text)) for text in texts]


def unknown_words(tokens: Tokenizer, known: Any, queries: Iterable[str]) -> dict[str, float]:
    """{"words": how many, "unknown": share of them that are not known}."""
    words = [word for query in queries for word in tokens(query)]
    return {"words": len(words), "unknown": sum(word not in known for word in words) / max(len(words), 1)}


def _kinds_of(items: pl.DataFrame, column: str) -> dict[str, Any]:
    """How many items, their prices and categories."""
    facts: dict[str, Any] = {"count": items.height}
    if "price" in items.columns:
        facts["price"] = bins_of(items["price"].cast(pl.Float64).fill_null(float("nan")).to_numpy())
    return facts | ({"categories": _shares_of(items[column])} if column else {})


def _shares_of(values: pl.Series) -> dict[str, float]:
    """Shares of the largest values."""
    found = values.cast(pl.String).fill_null("").value_counts(sort=True, normalize=True).head(_CATEGORIES)
    return {str(value): round(float(share), 6) for value, share in sorted(found.iter_rows())}


def sample(texts: Sequence[str], seed: int) -> list[str]:
    """A few hundred texts, in their order."""
    rows = np.random.default_rng(seed).permutation(len(texts))[:_VECTORS]
    return [texts[row] for row in sorted(rows)]
