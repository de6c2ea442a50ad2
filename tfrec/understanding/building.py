"""The understanding of a shop's queries, made of its catalogue and of what its labelled queries say."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tfrec.choosing.chance import beyond_chance
from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.text_columns import plain_texts, text_columns
from tfrec.errors import ConfigError
from tfrec.retrieval.answers import KnownVectors, QueryVectors, rank_requests
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.fixed import fixed_index
from tfrec.retrieval.scorer import Scorer
from tfrec.understanding.attributes import Attributes, AttributeValues
from tfrec.understanding.categories import VOTERS, Categories, categories_of, trained_head
from tfrec.understanding.languages import Languages
from tfrec.understanding.measures import Measures
from tfrec.understanding.negation import Negation
from tfrec.understanding.prices import PriceWishes
from tfrec.understanding.understanding import Understanding, word_keys

_FEWEST_LABELS = 100  # labelled queries that a head is trained by, at least
_MOST_QUERIES = 500


def build_understanding(
    config: Config, shop: ShopData, towers: QueryVectors, scorer: Scorer, with_head: bool = True
) -> Understanding:
    """Learns what queries mean.

    Args:
        config: section understanding is read.
        shop: the prepared data.
        towers: give the vectors of queries.
        scorer: what ranks the catalogue; its first items vote on the category.
        with_head: whether a head may be trained.

    Raises:
        ConfigError: a configured column is not in the catalogue.
    """
    section = config.understanding
    for name in section.attributes or ():
        if name not in shop.items.columns:
            raise ConfigError(
                f"understanding.attributes: the catalogue has no column {name!r}, but {', '.join(shop.items.columns)}."
            )
    titles = shop.items["title"].fill_null("").to_list() if "title" in shop.items.columns else shop.item_texts
    lexical, index = _lexical(config, shop, scorer)
    values = AttributeValues.of(shop.items, section.attributes, lambda words: word_keys(lexical, words.flat))
    column = shop.items["price"] if "price" in shop.items.columns else pl.Series([None] * shop.size)
    prices = column.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    columns = [plain_texts(shop.items[column.name].fill_null("")) for column in text_columns(shop.items)]
    texts = [" . ".join(parts) for parts in zip(*columns, strict=True)] if columns else shop.item_texts
    names, codes = categories_of(shop.items)
    head = _head(shop, towers, scorer, names, codes) if with_head and len(names) > 1 else None
    return Understanding(
        PriceWishes(prices), Measures(titles), Attributes(values, shop.size),
        Negation(lexical, index, texts), Languages(titles), Categories(names, codes, head),
    )  # fmt: skip


def truths_of(shop: ShopData, split: str, codes: np.ndarray) -> dict[str, int]:
    """The category of the labelled queries of a split: that of most of their right items, by their gains.

    Args:
        shop: the prepared data.
        split: see ShopData.judgments.
        codes: the category of every item, int [N]; -1 = none.

    Returns:
        query -> category; queries whose right items have none are left out.
    """
    row_of = {item_id: row for row, item_id in enumerate(shop.item_ids)}
    found = {}
    for query, gains in shop.judgments(split).items():
        best = max(gains.values(), default=0.0)
        votes: dict[int, float] = {}
        for item_id, gain in gains.items():
            code = int(codes[row_of[item_id]]) if item_id in row_of else -1
            if code >= 0 and gain > 0 and gain >= 0.5 * best:
                votes[code] = votes.get(code, 0.0) + gain
        if query.strip() and votes:
            found[query] = max(votes, key=lambda code: (votes[code], -code))
    return found


def _lexical(config: Config, shop: ShopData, scorer: Scorer) -> tuple[LexicalScorer, LexicalIndex]:
    """The scorer of words that ranks, or one that only finds words where none does."""
    for one in scorer.scorers if isinstance(scorer, Fusion) else [scorer]:
        if isinstance(one, LexicalScorer):
            return one, one.index
    index = fixed_index({"text": shop.item_texts}, {"text": 1.0}, language=config.retrieval.lexical.language)
    return LexicalScorer(index), index


def _head(
    shop: ShopData, towers: QueryVectors, scorer: Scorer, names: list[str], codes: np.ndarray
) -> np.ndarray | None:
    """A head by the training queries, where queries that choose are told better with it, beyond chance."""
    train, dev = truths_of(shop, "train", codes), truths_of(shop, shop.choosing_split, codes)
    train = {query: code for query, code in train.items() if query not in dev}
    if len(train) < _FEWEST_LABELS or not dev:
        return None
    queries = list(dev)[:_MOST_QUERIES]
    vectors = towers.query_vectors(queries)
    head = trained_head(towers.query_vectors(list(train)), np.array(list(train.values())), len(names))
    rows, scores = rank_requests(KnownVectors(vectors, towers.speller), scorer, queries, None, VOTERS, shop.size)
    truths = np.array([dev[query] for query in queries])

    def right(some: Any) -> np.ndarray:
        told = Categories(names, codes, some)(rows, scores, vectors).numpy()
        return (told.argmax(axis=1) == truths).astype(np.float64)

    return head if beyond_chance(right(head) - right(None)) else None
