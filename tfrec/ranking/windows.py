"""A shop as it was at an earlier day, and what shoppers took in the days after: where a ranker learns."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import polars as pl

from tfrec.data.ages import DAY
from tfrec.data.shop import ShopData


def known_until(shop: ShopData, splits: Sequence[str]) -> ShopData:
    """The shop with the purchases of these splits as its train, and no others; itself where it has none at all.

    Args:
        shop: the prepared data.
        splits: splits whose interactions may be known.
    """
    if not shop.has_interactions:
        return shop
    rows = shop.interactions.filter(pl.col("split").is_in(list(splits)))
    return _with_purchases(shop, rows.with_columns(split=pl.lit("train")))


def windows(shop: ShopData, splits: Sequence[str], count: int, days: float, least: int) -> list[ShopData]:
    """Windows of equal length, the newest one ending with the newest known purchase.

    Args:
        shop: the prepared data, with interactions.
        splits: splits whose interactions may be known.
        count: windows wanted.
        days: length of a window.
        least: shoppers with earlier and with new purchases that a window needs.

    Returns:
        the newest first, as far as they have enough shoppers: in each the purchases before the window are train, those
        in it are dev, and there are no others. Its towers' vectors know more than that; scorers of purchases that are
        made from it do not.
    """
    known = shop.interactions.filter(pl.col("split").is_in(list(splits)))
    found: list[ShopData] = []
    if not known.height:
        return found
    end, time = int(known["timestamp"].max()) + 1, pl.col("timestamp")  # type: ignore[arg-type]
    for number in range(count):
        stop, start = end - number * days * DAY, end - (number + 1) * days * DAY
        rows = known.filter(time < stop)
        rows = rows.with_columns(split=pl.when(time < start).then(pl.lit("train")).otherwise(pl.lit("dev")))
        window = _with_purchases(shop, rows)
        if len(window.shoppers("dev")) < least:
            break
        found.append(window)
    return found


def _with_purchases(shop: ShopData, rows: pl.DataFrame) -> ShopData:
    """The same shop with other interactions."""
    view = copy.copy(shop)
    view.__dict__.pop("popularity", None)
    view.__dict__["interactions"] = rows
    view.__dict__["whole"] = shop  # whose files are held while it is used
    return view
