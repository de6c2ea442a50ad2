"""Parts of the gate's requests: a candidate may be better as a whole and worse for some."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.shoppers import Shopper
from tfrec.evaluation import slices as parts
from tfrec.evaluation.per_query import query_kinds
from tfrec.evaluation.purchases import purchases_before
from tfrec.lifecycle.gate.checks import Slice

Values = NDArray[np.float64]
Bands = Iterator[tuple[str, str, NDArray[np.bool_]]]


def query_slices(
    config: Config, shop: ShopData, queries: Sequence[str], judgments: Mapping[str, Mapping[str, float]],
    served: Collection[str], mine: Values, other: Values,
) -> Iterator[Slice]:  # fmt: skip
    """Queries by length, numbers, known words, frequency, language, category and new items.

    Args:
        config: retrieval.lexical.language and evaluation.item_group are read.
        shop: with the catalogue.
        queries: Q texts.
        judgments: query -> item id -> gain.
        served: item ids of the served version.
        mine, other: values of candidate and served version, float64 [Q].
    """
    best = [max(judgments[query].items(), key=lambda one: one[1])[0] for query in queries]
    for kind, label, inside in [
        *query_kinds(config, shop, queries), *_frequencies(shop, queries), *_languages(shop, queries),
        *_categories(config, shop, best), ("items", "new ones", np.array([item_id not in served for item_id in best])),
    ]:  # fmt: skip
        if inside.any() and not inside.all():
            yield Slice(kind, label, np.where(inside, mine, np.nan), np.where(inside, other, np.nan))


def shopper_slices(
    shop: ShopData, shoppers: Sequence[Shopper], values: tuple[Values, Values],
    ranked: tuple[NDArray[np.int32], NDArray[np.int32]], split: str,
) -> Iterator[Slice]:  # fmt: skip
    """Shoppers by how much is known of them and by segment; what they took, by how much it sells (recall of it alone).

    Args:
        shop: the prepared data.
        shoppers: U of them.
        values: of candidate and served version, float64 [U].
        ranked: rows of the catalogue, int32 [U, 20].
        split: dev or test.
    """
    segments = shop.shopper_segments
    groups = parts.largest_groups([segments.get(shopper.user_id, "") for shopper in shoppers])
    bands = parts.activity_bands([shopper.history for shopper in shoppers])
    for kind, label, inside in [
        *((parts.HISTORY, *band) for band in bands), *(("segment", *group) for group in groups.items()),
    ]:  # fmt: skip
        if not inside.all():
            yield Slice(kind, label, *(np.where(inside, row, np.nan) for row in values))
    truths = [shopper.truth for shopper in shoppers]
    for label, wanted in parts.popularity_bands(purchases_before(shop, split).counts()).items():
        yield Slice(parts.ITEMS, label, *(parts.recall_of(truths, rows, wanted) for rows in ranked))


def _frequencies(shop: ShopData, queries: Sequence[str]) -> Bands:
    """By the weights of the searches file, which count how often a query was typed; nothing where all weigh alike."""
    heaviest = shop.searches.group_by("query").agg(pl.col("weight").max())
    weights = dict(heaviest.iter_rows())
    counts = np.array([weights.get(query, 1.0) for query in queries], np.float64)
    if np.ptp(counts) > 0:
        for label, inside in parts.popularity_bands(counts).items():
            yield "frequency", label, inside


def _languages(shop: ShopData, queries: Sequence[str]) -> Bands:
    from tfrec.tensorflow_setup import tf
    from tfrec.understanding.languages import Languages
    from tfrec.understanding.normal_form import normal, words_of

    plain = normal(tf.constant(list(queries)))
    codes = Languages(shop.item_texts)(plain, words_of(plain)).numpy().tolist()
    for label, inside in parts.largest_groups([code.decode() for code in codes]).items():
        yield "language", label, inside


def _categories(config: Config, shop: ShopData, best: Sequence[str]) -> Bands:
    """By the category of the best judged item."""
    column = config.evaluation.item_group or "category"
    if column not in shop.items.columns:
        return
    values = shop.items[column].cast(pl.String).fill_null("").to_list()
    of_item = dict(zip(shop.item_ids, values, strict=True))
    for label, inside in parts.largest_groups([of_item.get(item_id, "") for item_id in best]).items():
        yield column, label, inside
