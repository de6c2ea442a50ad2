"""How much each item sells lately and on the whole, and when it sold first and last."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.data.ages import days_before_newest
from tfrec.data.shop import ShopData
from tfrec.ranking.features.feature import ItemNumbers

WINDOWS = (7, 14, 30, 90)  # days before the newest purchase
_LONGEST = 10_000.0  # days; for items that never sold


def sales_of(shop: ShopData) -> ItemNumbers:
    """Shoppers of each item in the last days and in all, as logarithms, and trends: what short windows have above long.

    Args:
        shop: of which the purchases of train are known.
    """
    item, days, user = _purchases(shop)
    shoppers = user.max(initial=0) + 1
    numbers = {}
    for name, longest in (*((f"{window} days", float(window)) for window in WINDOWS), ("all", np.inf)):
        pairs = np.unique((item * shoppers + user)[days <= longest])
        numbers[f"sales of {name}"] = np.log1p(np.bincount(pairs // shoppers, minlength=shop.size))
    for short, long in (("7 days", "30 days"), ("14 days", "90 days"), ("30 days", "all")):
        numbers[f"trend of {short} against {long}"] = numbers[f"sales of {short}"] - numbers[f"sales of {long}"]
    return ItemNumbers("sales", numbers)


def ages_of(shop: ShopData) -> ItemNumbers:
    """Days since each item sold first and last, as logarithms.

    Args:
        shop: of which the purchases of train are known.
    """
    item, days, _ = _purchases(shop)
    first, last = np.full(shop.size, -1.0), np.full(shop.size, _LONGEST)
    np.maximum.at(first, item, days)
    np.minimum.at(last, item, days)
    longest = days.max(initial=0.0)
    return ItemNumbers(
        "ages",
        {
            "days since first sale": np.log1p(np.where(first < 0, 0.0, first)),
            "days since last sale": np.log1p(np.minimum(last, longest)),
        },
    )


def _purchases(shop: ShopData) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Item int64 [R], days before the newest purchase float64 [R] and number of the shopper int64 [R]."""
    rows = shop.interactions.filter(pl.col("split") == "train")
    user = rows["user_id"].rank("dense").to_numpy().astype(np.int64) - 1
    return rows["item"].to_numpy(), days_before_newest(rows["timestamp"].to_numpy()), user
