"""Who took what. What was taken long ago counts less, for tastes move; so does a view beside a purchase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from tfrec.data.ages import DAY, days_before_newest, halved
from tfrec.data.shop import ShopData


def purchase_matrix(shop: ShopData, splits: Sequence[str] = ("train",), half_life: float | None = None) -> Any:
    """Every shopper's items.

    Args:
        shop: the prepared data.
        splits: splits whose interactions may be known.
        half_life: days before the newest interaction after which the product of two equally old entries, which is what
            item-item weights are made from, counts half; None counts all alike.

    Returns:
        CSR float32 [U, N]: 1 where a shopper took an item at least once in the splits, less where that is long ago, or
        no event of his with the item has the highest weight: its root, so that products of two weigh as the events do.
    """
    users, items, days, shares = _pairs(shop, splits)
    weights = halved(0.5 * days, half_life) * np.sqrt(shares)
    shape = (int(users.max(initial=-1)) + 1, shop.size)
    return sp.csr_matrix((weights.astype(np.float32), (users, items)), shape)


def basket_matrix(shop: ShopData, splits: Sequence[str] = ("train",)) -> Any:
    """What each shopper took on one day (UTC): files seldom tell orders apart otherwise.

    Args:
        shop: the prepared data, with interactions.
        splits: splits whose interactions may be known.

    Returns:
        CSR float32 [baskets, N] of ones.
    """
    rows = shop.interactions.filter(pl.col("split").is_in(list(splits)))
    baskets = rows.select("item", basket=pl.struct("user_id", pl.col("timestamp") // DAY).rank("dense") - 1).unique()
    numbers, items = (baskets[name].cast(pl.Int64).to_numpy() for name in ("basket", "item"))
    return sp.csr_matrix((np.ones(len(items), np.float32), (numbers, items)), (numbers.max(initial=-1) + 1, shop.size))


def sales(shop: ShopData, splits: Sequence[str] = ("train",), half_life: float | None = None) -> np.ndarray:
    """How much each item sells.

    Args:
        shop: the prepared data.
        splits: splits whose interactions may be known.
        half_life: days after which a sale counts half; None counts all alike.

    Returns:
        float64 [N]. With a half-life a shopper counts once per item, at the last time; without, each time. Where events
        or ratings have weights, each counts by its share of the highest. Where there are no interactions, how often an
        item was a right answer in train.
    """
    if not shop.has_interactions:
        return shop.popularity.astype(np.float64)
    if half_life is None:
        rows = _known(shop, splits)
        return np.bincount(rows["item"].to_numpy(), rows["_share"].to_numpy(), minlength=shop.size)
    _, items, days, shares = _pairs(shop, splits)
    return np.bincount(items, halved(days, half_life) * shares, minlength=shop.size)


def _known(shop: ShopData, splits: Sequence[str]) -> pl.DataFrame:
    """The interactions of these splits with `_share` Float64: each one's weight by the highest of them; 1 without."""
    rows = shop.interactions
    used = [name for name in ("user_id", "item", "timestamp", "split", "weight") if name in rows.columns]
    rows = rows.select(used).filter(pl.col("split").is_in(list(splits)))  # a copy of these columns alone
    weight = pl.col("weight").cast(pl.Float64) if "weight" in rows.columns else pl.lit(1.0)
    highest = weight.max()
    return rows.with_columns(pl.when(highest > 0).then(weight / highest).otherwise(1.0).alias("_share"))


def _pairs(shop: ShopData, splits: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each pair once: row of the shopper int64 [P], item int64 [P], days before the newest interaction float64 [P], and
    the share that its strongest event has of the highest weight float64 [P]."""
    if not shop.has_interactions:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    pairs = (
        _known(shop, splits)
        .group_by("user_id", "item", maintain_order=True)
        .agg(pl.col("timestamp").max(), pl.col("_share").max())
    )
    users = pairs["user_id"].rank("dense").to_numpy().astype(np.int64) - 1
    times = pairs["timestamp"].to_numpy()
    return users, pairs["item"].to_numpy(), days_before_newest(times), pairs["_share"].to_numpy()
