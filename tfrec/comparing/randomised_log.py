"""A joined log's randomised searches as arrays, and what a click model foretells of other lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tfrec.clicks import Lists
from tfrec.clicks.choosing import MODELS
from tfrec.comparing.counterfactual import Randomised
from tfrec.data.logs.attribution import with_attribution
from tfrec.errors import DataError

_MODEL = "pbm"


@dataclass(frozen=True)
class RandomisedLog:
    """What `counterfactual` needs.

    Attributes:
        searches: as arrays.
        queries: the typed text of each query number.
        items: item id -> number.
    """

    searches: Randomised
    queries: list[str]
    items: dict[str, int]

    def target(self, rankings: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
        """What rankings show for each search, int64 [N, K]; as many places as each search had.

        Args:
            rankings: query, as typed -> item ids, best first.
        """
        numbers, depth = dict(self.items), self.searches.item.shape[1]
        by_query = np.full((len(self.queries), depth), -1, np.int64)
        for row, query in enumerate(self.queries):
            for place, item in enumerate(rankings[query][:depth]):
                by_query[row, place] = numbers.setdefault(item, len(numbers))
        return np.where(self.searches.item >= 0, by_query[self.searches.query], -1)

    def foretold(self, target: NDArray[np.int64]) -> NDArray[np.float64]:
        """Expected clicks of target items at their places, float64 [N, K], by the units' other half."""
        log, known = self.searches, len(self.items)
        pairs = np.where(log.item >= 0, log.query[:, None] * known + log.item, -1)
        _, number = np.unique(pairs, return_inverse=True)
        number = number.reshape(pairs.shape)
        names = {int(pair): int(of) for pair, of in zip(pairs.ravel(), number.ravel(), strict=True)}
        wanted = np.where((target >= 0) & (target < known), log.query[:, None] * known + target, -2)
        found = np.vectorize(lambda pair: names.get(pair, -1), otypes=[np.int64])(wanted)
        expected = np.zeros(target.shape)
        for fold in (0, 1):
            own = log.unit % 2 == fold
            lists = _lists(number[~own], log.item[~own] >= 0, log.reward[~own] > 0, int(number.max()) + 1)
            if not len(lists.pair):
                continue
            fitted = MODELS[_MODEL].fit(lists)
            examined = np.asarray(fitted.parameters["examination"], np.float64)
            seen = examined[np.minimum(np.arange(target.shape[1]), len(examined) - 1)]
            attracts = np.where(found >= 0, fitted.attractiveness[np.maximum(found, 0)], fitted.prior.mean)
            expected[own] = (attracts * seen)[own]
        return np.where(target >= 0, expected, 0.0)


def randomised_log(
    searches: pl.DataFrame, actions: pl.DataFrame, metric: str = "click", depth: int | None = None
) -> RandomisedLog:
    """Reads the searches whose log says with what chance each item had to stand where it did.

    Args:
        searches, actions: a joined log.
        metric: click, cart or purchase.
        depth: first places that count; None counts all.

    Raises:
        DataError: there are none.
    """
    some = with_attribution(searches)
    lengths = pl.col("propensities").list.len()
    some = some.filter((lengths > 0) & (lengths == pl.col("listed").list.len()))
    if not some.height:
        raise DataError(
            "No search of the log says with what chance its items stood where they did: team-draft interleaving writes "
            "it (docs/howto/compare.md), or give `listed` and `propensities` of a randomised list."
        )
    if depth is not None:
        some = some.with_columns(pl.col("listed", "propensities").list.head(depth))
    done = actions if metric == "click" else actions.filter(pl.col("action") == metric)
    done = done.select("search", pl.col("item_id").alias("listed")).unique().with_columns(pl.lit(1.0).alias("reward"))
    rows = some.select("search", "listed", "propensities").explode("listed", "propensities")
    rows = rows.join(done, on=["search", "listed"], how="left", maintain_order="left")
    ids = rows["listed"].unique(maintain_order=True).to_list()
    items = {item: number for number, item in enumerate(ids)}
    count = some["listed"].list.len().to_numpy().astype(np.int64)
    there = np.arange(int(count.max())) < count[:, None]
    item, chance, reward = np.full(there.shape, -1, np.int64), np.zeros(there.shape), np.zeros(there.shape)
    item[there] = rows["listed"].replace_strict(ids, list(range(len(ids))), return_dtype=pl.Int64).to_numpy()
    chance[there] = rows["propensities"].to_numpy()
    reward[there] = rows["reward"].fill_null(0.0).to_numpy()
    queries = some["query"].unique(maintain_order=True).to_list()
    code = some["query"].replace_strict(queries, list(range(len(queries))), return_dtype=pl.Int64).to_numpy()
    unit = some["visitor"].rank("dense").to_numpy().astype(np.int64) - 1
    return RandomisedLog(Randomised(code, item, chance, reward, unit), queries, items)


def _lists(number: NDArray[np.int64], there: NDArray[np.bool_], clicked: NDArray[np.bool_], pairs: int) -> Lists:
    start = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64)
    places = np.broadcast_to(np.arange(there.shape[1], dtype=np.int16), there.shape)
    return Lists(number[there].astype(np.int32), places[there], clicked[there], start, np.ones(len(there)), pairs)
