"""What every system found for each query, and how well it serves kinds of queries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.evaluation.metrics import NDCG, RankingMetrics
from tfrec.evaluation.slices import Slice, make_slice
from tfrec.retrieval.tokens import Tokenizer

SHOWN = 10  # places that are kept
_LENGTHS = ((1, 1, "one word"), (2, 2, "two words"), (3, 4, "three or four words"), (5, None, "five words and more"))


def ranking_frame(
    judgments: Mapping[str, Mapping[str, float]],
    rankings: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]],
    systems: Mapping[str, RankingMetrics],
    items: pl.DataFrame,
) -> pl.DataFrame:
    """What was found, for whoever wants to look.

    Args:
        judgments: query -> item id -> gain.
        rankings: system -> query -> [(item id, score), ...], best first.
        systems: their metrics.
        items: the catalogue, with item_id and title.

    Returns:
        a row per query and system: query, system, every metric (null where it has no value), and of the first ten
        places item_ids, titles, gains (null = unjudged).
    """
    best = {i for found in rankings.values() for ranked in found.values() for i, _ in ranked[:SHOWN]}
    chosen = items.filter(pl.col("item_id").is_in(list(best)))
    titles = dict(zip(chosen["item_id"].to_list(), chosen["title"].to_list(), strict=True))
    rows = []
    for system, metrics in systems.items():
        for place, query in enumerate(metrics.query_ids):
            ids = [item_id for item_id, _ in rankings[system].get(query, ())[:SHOWN]]
            values = {
                name: None if np.isnan(values[place]) else float(values[place])
                for name, values in metrics.per_query.items()
            }
            gains = [judgments[query].get(item_id) for item_id in ids]
            named = [titles.get(item_id) or "" for item_id in ids]
            rows.append({"query": query, "system": system, **values, "item_ids": ids, "titles": named, "gains": gains})
    lists = {"item_ids": pl.List(pl.String), "titles": pl.List(pl.String), "gains": pl.List(pl.Float64)}
    measures = dict.fromkeys(next(iter(systems.values())).per_query, pl.Float64)
    return pl.DataFrame(rows, {"query": pl.String, "system": pl.String, **measures, **lists})


def search_slices(
    config: Config, shop: ShopData, systems: Mapping[str, RankingMetrics], pair: tuple[str, str] | None
) -> list[Slice]:
    """nDCG@10 of kinds of queries: by length, with numbers or without, with words that the catalogue has not.

    Args:
        config: retrieval.lexical.language, evaluation and the seed are read.
        shop: the prepared data.
        systems: measured on the same queries.
        pair: (contender, baseline) to compare, or None.
    """
    made = []
    for kind, label, inside in query_kinds(config, shop, next(iter(systems.values())).query_ids):
        values = {name: np.where(inside, metrics.per_query[NDCG], np.nan) for name, metrics in systems.items()}
        made.append(make_slice(kind, label, values, pair, config.seed, config.evaluation.resamples, NDCG))
    return [part for part in made if part is not None]


def query_kinds(config: Config, shop: ShopData, queries: Sequence[str]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Kinds of queries: (what they are made by, which one, bool [Q]).

    Args:
        config: retrieval.lexical.language is read.
        shop: whose words are known.
        queries: Q texts.
    """
    terms = Tokenizer(config.retrieval.lexical.language)
    catalogue = {term for text in shop.item_texts for term in terms(text)}
    split = [terms(query) for query in queries]
    lengths = np.array([len(words) for words in split])
    for least, most, label in _LENGTHS:
        yield "length", label, (lengths >= least) & (lengths <= (np.inf if most is None else most))
    numbers = np.array([re.search(r"\d", query) is not None for query in queries])
    yield "numbers", "with a number", numbers
    yield "numbers", "without", ~numbers
    unknown = np.array([any(word not in catalogue for word in words) for words in split])
    yield "words", "all in the catalogue", ~unknown
    yield "words", "some that no item has", unknown
