"""A cell whose labelled queries are told by a simulated search log: what shoppers saw and clicked, and no grade."""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from protocol.cells import Cell

PLACES, POOL = 10, 30  # a list, and the items that the logging ranker may put into it
LEAST_SEARCHES, MOST_SEARCHES = 200, 2_000  # of a query, log-uniform
EXAMINATION = 1.0 / np.arange(1, PLACES + 1)
BY_CHANCE, BY_GAIN = 0.05, 0.60  # of a click on what is looked at: for nothing, and for a gain of 1
OPINION, MOOD = 1.0, 0.5  # how far the ranker is off BM25, in its standard deviations: always, and anew in each search
DAYS, START = 60, 1_735_689_600


@dataclass(frozen=True)
class LoggedCell(Cell):
    """A cell with a log in the place of judgments.

    A ranker of BM25 and opinions of its own that have nothing to do with gains lists ten of its first thirty items,
    never quite alike. A shopper looks at place r with the chance 1 / r and clicks what is looked at by its gain;
    unjudged items gain nothing. Each search is of a shopper of its own.

    Attributes:
        model: tfrec's click model, data.search_log.labels.model.
    """

    model: str = "auto"
    told: ClassVar[str] = "search_log"

    @property
    def name(self) -> str:
        """As in homedepot-40-3-clicks-auto."""
        return f"{super().name}-clicks-{self.model}"

    def section(self, file: Path) -> Any:
        """The log with the click model."""
        return {"path": str(file), "labels": {"model": self.model}}

    def rows(self) -> str:
        """The log: a row for each shown item and each click."""
        return self._log

    @functools.cached_property
    def _log(self) -> str:
        parts = [self._searches(query, pool) for query in self.labelled if (pool := self._pool(query))]
        return pl.concat(parts).sort("timestamp", "query_id", maintain_order=True).write_csv()

    def _pool(self, query: str) -> dict[int, float]:
        """Row of the catalogue -> BM25 of what the ranker may list; empty where no word of the query is known."""
        scores = self.shop.bm25.scores(query)
        best = np.argsort(-scores, kind="stable")[:POOL]
        return {int(row): float(scores[row]) for row in best if scores[row] > 0}

    def _searches(self, query: str, pool: dict[int, float]) -> pl.DataFrame:
        rng = np.random.default_rng([zlib.crc32(query.encode()), self.draw])
        truth, ids = self.shop.truth[query], self.shop.data.item_ids
        gains = np.array([truth.get(ids[row], 0.0) for row in pool])
        found = np.array(list(pool.values()))
        opinion = (found - found.mean()) / (found.std() or 1.0) + OPINION * rng.normal(size=len(pool))
        count = round(LEAST_SEARCHES * (MOST_SEARCHES / LEAST_SEARCHES) ** rng.random())
        order = np.argsort(-(opinion + MOOD * rng.gumbel(size=(count, len(pool)))), axis=1)[:, :PLACES]
        chance = EXAMINATION[: order.shape[1]] * (BY_CHANCE + BY_GAIN * gains[order])
        clicked = rng.random(order.shape) < chance
        times = START + rng.integers(0, DAYS * 86_400, count)
        names = np.array([ids[row] for row in pool], object)
        code = zlib.crc32(query.encode())

        def events(rows: np.ndarray, places: np.ndarray, action: str, later: int) -> pl.DataFrame:
            return pl.DataFrame(
                {
                    "query_id": [f"{code}-{row}" for row in rows], "query": [query] * len(rows),
                    "item_id": names[order[rows, places]].tolist(), "action": [action] * len(rows), "position": places,
                    "visitor_id": [f"v{code}-{row}" for row in rows], "timestamp": times[rows] + later,
                }
            )  # fmt: skip

        every = np.repeat(np.arange(count), order.shape[1]), np.tile(np.arange(order.shape[1]), count)
        return pl.concat([events(*every, "shown", 0), events(*np.nonzero(clicked), "click", 9)])


def label_quality(cell: LoggedCell) -> dict[str, float]:
    """How the labels of a cell's log go with the grades that they are made of.

    Returns:
        `model` that was taken; `pairs`, and of them `judged` by people; Spearman's correlation of gains with grades in
        the judged ones, by query, on average; `found`: share of all items with a grade of 1 that have a gain above 0.
    """
    from scipy.stats import spearmanr

    from tfrec import prepare

    shop = prepare(cell.write())
    labels = shop.log_labels.select("query", "item_id", "gain")
    alike, judged, found, best = [], 0, 0, 0
    for query in cell.labelled:
        truth, given = (
            cell.shop.truth[query],
            dict(labels.filter(pl.col("query") == query).select("item_id", "gain").rows()),
        )
        pairs = [(gain, truth[item]) for item, gain in given.items() if item in truth]
        judged += len(pairs)
        best += sum(gain >= 1 for gain in truth.values())
        found += sum(given.get(item, 0) > 0 for item, gain in truth.items() if gain >= 1)
        if len({gain for gain, _ in pairs}) > 1 and len({grade for _, grade in pairs}) > 1:
            alike.append(float(spearmanr(*zip(*pairs, strict=True))[0]))
    told = shop.report["search_log"]["click_model"]
    correlation = float(np.mean(alike)) if alike else math.nan
    return {
        "model": told["model"], "pairs": labels.height, "judged": judged, "correlation": correlation,
        "found": found / max(best, 1),
    }  # fmt: skip
