"""A shop's sessions as a click model knows them, searched again with other rankings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tfrec.clicks import Fitted, Lists, choose_model
from tfrec.clicks.simulating import simulated_clicks
from tfrec.comparing.interleaving import rounds_of, team_draft
from tfrec.errors import DataError

_MOST_LISTS = 200_000  # of a longer log, its last ones
_DEPTH = 20


@dataclass(frozen=True)
class Traffic:
    """N searches of S sessions.

    Attributes:
        shown: int64 [N, K], pairs of (query, item) as numbers, as the log's ranking shows them; -1 is an empty place.
        session: int64 [N], number of each search's session, rising.
        fitted: the click model whose pairs they are.
        converts: chance that a search with a click ends with a cart, with a purchase.
        foretold: share of the variance of sessions' clicks that the visitor's earlier ones explain (CUPED), 0..1.
    """

    shown: NDArray[np.int64]
    session: NDArray[np.int64]
    fitted: Fitted
    converts: dict[str, float]
    foretold: float = 0.0

    @property
    def sessions(self) -> int:
        """S."""
        return int(self.session[-1]) + 1

    def reordered(self, strength: float) -> NDArray[np.int64]:
        """A better ranking of the same items: the log's places moved towards the order by attractiveness.

        Args:
            strength: 0 changes nothing, 1 orders by attractiveness alone.
        """
        there = self.shown >= 0
        attracts = np.log(np.maximum(self.fitted.attractiveness[np.maximum(self.shown, 0)], 1e-9))
        spread = float(attracts[there].std()) or 1.0
        place = np.arange(self.shown.shape[1])
        cost = (1.0 - strength) * place - strength * place.size * attracts / spread
        order = np.argsort(np.where(there, np.asarray(cost), np.inf), axis=1, kind="stable")
        return np.asarray(np.take_along_axis(self.shown, order, axis=1))

    def lift(self, other: NDArray[np.int64], rng: np.random.Generator) -> float:
        """By how much another ranking's searches end with a click more often than the log's, relative."""
        state = rng.integers(1 << 62)
        a, b = (
            simulated_clicks(self.fitted, pairs, np.random.default_rng(state)).any(axis=1).mean()
            for pairs in (self.shown, other)
        )
        return float(b / max(a, 1e-12) - 1.0)

    def grouped(self, pairs: NDArray[np.int64], metric: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """What each session brings when all its searches have this ranking: searches with the metric, float64 [S]."""
        done: NDArray[np.bool_] = np.asarray(simulated_clicks(self.fitted, pairs, rng).any(axis=1))
        if metric != "click":
            done &= rng.random(len(done)) < self.converts[metric]
        return np.asarray(np.bincount(self.session, weights=done, minlength=self.sessions), np.float64)

    def preferences(self, other: NDArray[np.int64], metric: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """Each session's preference for another ranking over the log's by team draft, -1 to 1, float64 [S]."""
        size = self.shown.shape[1]
        coins = rng.random((len(self.shown), rounds_of(size))) < 0.5
        items, teams = team_draft(self.shown, other, coins, size)
        clicked = simulated_clicks(self.fitted, items, rng)
        if metric != "click":
            clicked &= rng.random(clicked.shape) < self.converts[metric]
        a, b = (np.bincount(self.session, (clicked & (teams == t)).sum(axis=1), self.sessions) for t in (0, 1))
        return np.divide(b - a, a + b, out=np.zeros(self.sessions), where=a + b > 0)


def traffic_of(searches: pl.DataFrame, actions: pl.DataFrame, model: str = "auto", seed: int = 0) -> Traffic:
    """Reads a joined log.

    Args:
        searches, actions: as in tfrec.data.logs.joining; searches of experiments are left out.
        model: click model, or auto.
        seed: chooses what judges the click models.

    Raises:
        DataError: no search has a list and no action.
    """
    some = searches.filter((pl.col("items").list.len() > 0) & (pl.col("attribution") == ""))
    some = some.sort("time").tail(_MOST_LISTS).sort("session", "time", "search")
    rows = some.select(
        "search", pl.col("query").str.to_lowercase(), pl.col("items").list.head(_DEPTH).alias("item_id"),
        pl.col("session").rle_id().cast(pl.Int64),
    ).explode("item_id")  # fmt: skip
    done = actions.select("search", "item_id").unique().with_columns(pl.lit(True).alias("clicked"))
    rows = rows.join(done, on=["search", "item_id"], how="left", maintain_order="left")
    if not rows.height or not rows["clicked"].any():
        raise DataError(
            "A plan needs a search log that says what was shown and what was clicked: give data.search_log in the "
            "configuration (docs/howto/search_logs.md)."
        )
    numbers = rows.select("query", "item_id").unique(maintain_order=True).with_row_index("pair")
    rows = rows.join(numbers, on=["query", "item_id"], how="left", maintain_order="left")
    lengths = rows["search"].rle().struct.field("len").to_numpy().astype(np.int64)
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    place = np.arange(rows.height) - np.repeat(start[:-1], lengths)
    lists = Lists(
        rows["pair"].to_numpy().astype(np.int32), place.astype(np.int16),
        rows["clicked"].fill_null(False).to_numpy(), start, np.ones(len(lengths)), numbers.height,
    )  # fmt: skip
    shown = np.full((len(lengths), int(lengths.max())), -1, np.int64)
    shown[np.repeat(np.arange(len(lengths)), lengths), place] = lists.pair
    clicks = actions["search"].n_unique()
    converts = {
        kind: actions.filter(pl.col("action") == kind)["search"].n_unique() / clicks for kind in ("cart", "purchase")
    }  # fmt: skip
    session = rows["session"].to_numpy()[start[:-1]]
    return Traffic(shown, session, choose_model(lists, model, seed).fitted, converts, _foretold(some, done))


def _foretold(searches: pl.DataFrame, done: pl.DataFrame) -> float:
    """The squared correlation of the later half's sessions' clicks with those of their visitor in the earlier half."""
    clicked = done.select("search").unique().with_columns(pl.lit(1.0).alias("click"))
    rows = searches.join(clicked, on="search", how="left").with_columns(
        pl.col("click").fill_null(0.0), (pl.col("time") >= pl.col("time").median()).alias("late")
    )
    late = rows.filter("late").group_by("visitor", "session").agg(pl.col("click").sum())
    early = rows.filter(~pl.col("late")).group_by("visitor").agg(pl.col("click").sum().alias("before"))
    both = late.join(early, on="visitor", how="left").with_columns(pl.col("before").fill_null(pl.col("before").mean()))
    found = both.select(pl.corr("click", "before")).item() if both.height > 2 else None
    return 0.0 if found is None or found != found else float(found) ** 2
