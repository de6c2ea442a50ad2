"""How much an interaction says that a shopper likes an item, and in what order where no times are known."""

from __future__ import annotations

import polars as pl

from tfrec.config.shop_tables import InteractionsConfig
from tfrec.data.ages import DAY
from tfrec.data.report import TableReport
from tfrec.data.validate import Rule

_START = 1_577_836_800  # 2020-01-01: made-up times begin here
_SPAN = 300 * DAY


def liked_only(frame: pl.DataFrame, config: InteractionsConfig, report: TableReport) -> pl.DataFrame:
    """Leaves out low ratings, counting them, and adds `weight` Float32 where events or ratings have one.

    Args:
        frame: interactions with event or rating, String, as far as the configuration needs them.
        config: events and min_rating.
        report: is told what is left out.
    """
    weight: pl.Expr | None = None
    if isinstance(config.events, dict) and config.events:
        weight = pl.col("event").replace_strict(config.events, default=None, return_dtype=pl.Float64)
    if config.min_rating is not None:
        rating = frame["rating"].cast(pl.Float64, strict=False)
        low = (rating < config.min_rating).fill_null(False)
        examples = ((f"rating {value}", "") for value in frame.filter(low)["rating"].unique().sort().head(5))
        report.change("ratings below min_rating, dropped", int(low.sum()), examples)
        frame = frame.filter(~low)
        own = pl.col("rating").cast(pl.Float64, strict=False)
        weight = own if weight is None else weight * own
    return frame if weight is None else frame.with_columns(weight.cast(pl.Float32).alias("weight"))


def rating_rules() -> list[Rule]:
    """A rating is a number."""
    bad = pl.col("rating").cast(pl.Float64, strict=False).is_null()
    return [Rule("bad rating", "rating", bad, "rating {} is not a number")]


def order_rules() -> list[Rule]:
    """Where a number stands for the time it must be one; "" is the row's own place."""
    bad = (pl.col("timestamp") != "") & pl.col("timestamp").cast(pl.Float64, strict=False).is_null()
    return [Rule("bad timestamp", "timestamp", bad, "timestamp {} is not a number, which order_is_time takes it for")]


def made_up_times(frame: pl.DataFrame) -> pl.DataFrame:
    """Times by the order of each shopper's rows: the first after 2020-01-01, the last 300 days later.

    Args:
        frame: with user_id, and timestamp String: a number to order by (equal ones are one basket), "" for the rows'
            own order.
    """
    number = pl.col("timestamp").cast(pl.Float64, strict=False)
    place = pl.coalesce(number.rank("dense").over("user_id"), pl.int_range(1, pl.len() + 1).over("user_id"))
    frame = frame.with_columns(place.cast(pl.Float64).alias("_place"))
    share = pl.col("_place") / pl.col("_place").max().over("user_id")
    return frame.with_columns((_START + share * _SPAN).cast(pl.Int64).alias("timestamp")).drop("_place")
