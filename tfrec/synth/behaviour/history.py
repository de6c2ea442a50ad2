"""What shoppers took before the cut, as baskets and as a matrix."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tfrec.data.shop import ShopData


@dataclass(frozen=True)
class PurchaseHistory:
    """The train split of a shop's interactions.

    Attributes:
        users: user_id of every shopper [U].
        lines: user Int64 (row of users), item Int64, timestamp Int64 (unix seconds), sorted by user and time; an item
            once per basket. A basket is what one shopper took at one time.
        size: number of items N.
    """

    users: list[str]
    lines: pl.DataFrame
    size: int

    @classmethod
    def of(cls, shop: ShopData) -> PurchaseHistory:
        """Reads it; empty for a shop without interactions."""
        schema = {"user": pl.Int64, "item": pl.Int64, "timestamp": pl.Int64}
        if not shop.has_interactions:
            return cls([], pl.DataFrame(schema=schema), shop.size)
        train = shop.interactions.filter(pl.col("split") == "train")
        users = train["user_id"].unique(maintain_order=True)
        number = pl.DataFrame({"user_id": users, "user": pl.int_range(len(users), dtype=pl.Int64, eager=True)})
        lines = train.join(number, on="user_id", how="left", maintain_order="left").select(list(schema)).cast(schema)  # type: ignore[arg-type]
        lines = lines.unique(maintain_order=True).sort("user", "timestamp", maintain_order=True)
        return cls(users.to_list(), lines, shop.size)

    @functools.cached_property
    def baskets(self) -> pl.DataFrame:
        """user, timestamp, items (List Int64), count; by user and time."""
        grouped = self.lines.group_by("user", "timestamp", maintain_order=True).agg(pl.col("item").alias("items"))
        return grouped.with_columns(pl.col("items").list.len().cast(pl.Int64).alias("count"))

    @functools.cached_property
    def matrix(self) -> Any:
        """Who took what: scipy CSR float32 [U, N] of ones."""
        from scipy import sparse

        pairs = self.lines.select("user", "item").unique(maintain_order=True)
        ones = np.ones(pairs.height, np.float32)
        where = (pairs["user"].to_numpy(), pairs["item"].to_numpy())
        return sparse.csr_matrix((ones, where), shape=(len(self.users), self.size))

    @functools.cached_property
    def popularity(self) -> np.ndarray:
        """Basket lines per item, int64 [N]."""
        return np.bincount(self.lines["item"].to_numpy(), minlength=self.size)

    @functools.cached_property
    def items_of(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per shopper the items and their timestamps, int64 each, in order of time."""
        bounds = np.searchsorted(self.lines["user"].to_numpy(), np.arange(len(self.users) + 1))
        items, times = self.lines["item"].to_numpy(), self.lines["timestamp"].to_numpy()
        return [(items[start:end], times[start:end]) for start, end in zip(bounds[:-1], bounds[1:], strict=True)]


def histories(history: PurchaseHistory, simulated: pl.DataFrame, length: int) -> list[list[int]]:
    """What the shopper of each simulated purchase had by then.

    Args:
        history: what was really taken.
        simulated: columns of PURCHASES.
        length: most recent items that are kept.

    Returns:
        per row the item indices taken at earlier times, really or in an earlier simulated basket, each once, at its
        last time, oldest first, without the row's item; for a basket before everything else, what came after it.
    """
    later: dict[int, list[tuple[int, int]]] = {}
    for basket, user, time, item in simulated.select("basket", "user", "timestamp", "item").iter_rows():
        if basket >= 0:
            later.setdefault(user, []).append((time, item))
    found = []
    for basket, user, time, item in simulated.select("basket", "user", "timestamp", "item").iter_rows():
        items, times = history.items_of[user]
        taken = list(zip(times.tolist(), items.tolist(), strict=True))
        if basket < 0:
            past = [other for _, other in taken]
        else:
            everything = sorted(taken + later[user], key=lambda pair: pair[0])
            past = [other for when, other in everything if when < time] or [other for _, other in taken]
        once = list(dict.fromkeys(reversed([other for other in past if other != item])))[::-1]
        found.append(once[-length:])
    return found
