"""Searches of known shoppers with their history beside the same weights without it: does knowing somebody help?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.table import Table

from tfrec.config import Config
from tfrec.data.clean import normalised_query
from tfrec.data.personalised.searches import PersonalisedSearch
from tfrec.data.shop import ShopData
from tfrec.evaluation.metrics import NDCG, RankingMetrics, evaluate_rankings
from tfrec.evaluation.parts_table import parts_table
from tfrec.evaluation.protocol import WITHOUT_RANKER
from tfrec.evaluation.retrieval import to_rankings, top_k
from tfrec.evaluation.slices import Slice, make_slice
from tfrec.evaluation.table import Report, build_report
from tfrec.models.two_tower import TwoTower
from tfrec.ranking.opinions import BOTH
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.retrieval.answers import Histories, rank_requests
from tfrec.retrieval.fusion import Fusion

WITH, WITHOUT = "tfrec", "without history"
TOWERS, TOWERS_WITHOUT = "towers alone", "towers without history"
Rank = Callable[[Histories], tuple[NDArray[np.int32], NDArray[np.float32]]]
_MOST = 4000
_THIN = 5  # items of a history, up to which a shopper is hardly known
_RELEVANT = 0.01  # whatever was taken is right


@dataclass(frozen=True, repr=False)
class PersonalisedReport(Report):
    """Searches of known shoppers, and parts of them."""

    def tables(self) -> list[Table]:
        """Accuracy, and the parts."""
        note = f"one search of each shopper; history = distinct items before it, thin = up to {_THIN}"
        return [
            self.to_table(),
            parts_table(self.slices, [WITH, WITHOUT], (WITH, WITHOUT), f"{self.main_metric} of parts", note),
        ]


def evaluate_personalised(
    config: Config, shop: ShopData, model: TwoTower, catalogue: NDArray[np.float32], split: str,
    fusion: Fusion | None = None,
) -> PersonalisedReport:  # fmt: skip
    """Ranks the whole catalogue for the searches of a split's weeks, with what the shopper did before and without.

    The weights are the same, and so is each request but for the history; without it, it is answered as `search` would.
    What was taken in the search is right, by the worth of the action. It depends on what the shop showed then, which
    knew nothing of the shopper, so that differences come out too small rather than too large.

    Args:
        config: section evaluation and the seed are read.
        shop: the prepared data.
        model: the trained model, with `model.catalogue` up to date.
        catalogue: its item vectors float32 [N, D].
        split: "dev" or "test".
        fusion: several scorers that rank together; None ranks by the towers.

    Returns:
        both on the same searches, one of each shopper (of a seeded part of very many), beside them the same without the
        ranker of personalised search where there is one (of dev always without it), and by parts: thin and busy
        shoppers, ambiguous and narrow queries, items that are new to the shopper.
    """
    searches = _some(shop.personalised_searches(split, config.seed), config.seed)
    queries, histories = [one.query for one in searches], [one.history for one in searches]
    names, depth = [str(one.search) for one in searches], min(config.evaluation.depth, shop.size)
    judgments = {str(one.search): {shop.item_ids[i]: gain for i, gain in one.truth.items()} for one in searches}

    def towers(past: Histories) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return top_k(model.query_vectors(queries, past), catalogue, depth)

    def by(scorer: Fusion) -> Rank:
        return lambda past: rank_requests(model, scorer, queries, past, depth, shop.size)

    ways: dict[str, tuple[Rank, Histories]] = {WITH: (towers, histories), WITHOUT: (towers, None)}
    if fusion is not None:
        plain = fusion.without(BOTH) if isinstance(fusion, RankedFusion) else fusion
        chosen = plain if split == "dev" else fusion  # dev has taught the ranker: what it says there says nothing
        ways = {WITH: (by(chosen), histories), WITHOUT: (by(chosen), None)}
        if chosen is not plain:
            ways[WITHOUT_RANKER] = (by(plain), histories)
        ways |= {TOWERS: (towers, histories), TOWERS_WITHOUT: (towers, None)}
    systems = {
        name: evaluate_rankings(judgments, to_rankings(names, *rank(past), shop.item_ids), _RELEVANT)
        for name, (rank, past) in ways.items()
    }
    note = " (dev also chose the weights)" if split == "dev" else ""
    baselines = [name for name in (WITHOUT, WITHOUT_RANKER) if name in systems]
    report = build_report(
        systems, baselines, config.seed, f"Personalised search on {split}{note}", config.evaluation.resamples, [WITH]
    )
    if TOWERS in systems:
        beside = {name: systems[name] for name in (TOWERS, TOWERS_WITHOUT)}
        of_towers = build_report(beside, [TOWERS_WITHOUT], config.seed, "", config.evaluation.resamples, [TOWERS])
        report = replace(report, comparisons={**report.comparisons, **of_towers.comparisons})
    parts = _slices(config, shop, searches, systems)
    return PersonalisedReport(report.systems, report.baselines, report.comparisons, report.title, slices=parts)


def _some(searches: Sequence[PersonalisedSearch], seed: int) -> list[PersonalisedSearch]:
    if len(searches) <= _MOST:
        return list(searches)
    rows = np.sort(np.random.default_rng(seed).choice(len(searches), _MOST, replace=False))
    return [searches[row] for row in rows.tolist()]


def _slices(
    config: Config, shop: ShopData, searches: Sequence[PersonalisedSearch], systems: dict[str, RankingMetrics]
) -> list[Slice]:
    made = []
    for kind, label, inside in _kinds(shop, searches):
        values = {name: np.where(inside, found.per_query[NDCG], np.nan) for name, found in systems.items()}
        made.append(make_slice(kind, label, values, (WITH, WITHOUT), config.seed, config.evaluation.resamples, NDCG))
    return [part for part in made if part is not None]


def _kinds(shop: ShopData, searches: Sequence[PersonalisedSearch]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Parts of the searches: (what they are made by, which one, bool [Q])."""
    known = np.array([len(one.history) for one in searches])
    yield "shopper", "without a history", known == 0
    yield "shopper", f"thin: up to {_THIN} items", (known > 0) & (known <= _THIN)
    yield "shopper", f"busy: more than {_THIN} items", known > _THIN
    spread = _spread(shop, [one.query for one in searches])
    middle = float(np.nanmedian(spread)) if np.isfinite(spread).any() else 0.0
    yield "query", "ambiguous: clicks spread more than at the median", spread > middle
    yield "query", "narrow: clicks spread less", spread <= middle
    yield "query", "taken nothing of before", np.isnan(spread)
    seen = np.array([bool(set(one.history) & set(one.truth)) for one in searches])
    yield "item", "taken before", seen
    yield "item", "new to the shopper", ~seen


def _spread(shop: ShopData, queries: Sequence[str]) -> NDArray[np.float64]:
    """Entropy in bits of what was taken for each query before the held-out weeks, float64 [Q]; NaN for none.

    Source: Teevan, Dumais & Liebling 2008 (click entropy).
    """
    first = shop.personalised.filter(pl.col("split") != "train")["timestamp"].min()
    before = shop.log_table("searches").filter(pl.col("time") < first).select("search", "query")
    taken = before.join(shop.log_table("actions").select("search", "item_id").unique(), on="search")
    counts: dict[str, Counter[str]] = {}
    for query, item, number in taken.group_by("query", "item_id").len().collect().iter_rows():
        counts.setdefault(normalised_query(query), Counter())[item] += number
    bits = {}
    for key, found in counts.items():
        shares = np.array(list(found.values()), np.float64) / found.total()
        bits[key] = float(-(shares * np.log2(shares)).sum())
    return np.array([bits.get(normalised_query(query), np.nan) for query in queries])
