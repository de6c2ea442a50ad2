"""Which interactions are completed purchases, or other events that count, of known shoppers."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tfrec.config.shop_tables import InteractionsConfig
from tfrec.data.clean import matches
from tfrec.data.report import TableReport
from tfrec.errors import DataError


def check_columns(config: InteractionsConfig, frame: pl.DataFrame, file: Path) -> None:
    """A file must have the columns that settings are about.

    Raises:
        DataError: it lacks one.
    """
    for setting, column in (("events", "event"), ("cancelled_pattern", "order_id"), ("min_rating", "rating")):
        if getattr(config, setting) not in (None, [], {}) and column not in frame.columns:
            raise DataError(
                f"{file} has no column {column!r}, which data.interactions.{setting} needs: name it in "
                f"data.interactions.columns, or remove {setting}."
            )


def wanted_only(frame: pl.DataFrame, config: InteractionsConfig, report: TableReport) -> pl.DataFrame:
    """Drops what is no completed purchase of a known shopper, counting each reason."""
    if config.events:
        frame = _drop(
            frame, ~frame["event"].is_in(list(config.events)), "event", "other kinds of event, dropped", report
        )
    if config.explode is not None:  # a session of page views and nothing else is no mistake
        frame = _drop(
            frame, frame["item_id"] == "", "user_id", f"rows without an item in {config.explode}, dropped", report
        )
    if config.cancelled_pattern is not None:
        cancelled = matches(frame["order_id"], config.cancelled_pattern, "data.interactions.cancelled_pattern")
        frame = _drop(frame, cancelled, "order_id", "rows of cancelled orders, dropped", report)
    if "quantity" in frame.columns:
        number = frame["quantity"].cast(pl.Float64, strict=False)
        returned = (number <= 0).fill_null(False)
        frame = _drop(frame, returned, "quantity", "rows with no positive quantity, dropped", report)
    return _drop(frame, frame["user_id"] == "", "item_id", "rows without a user_id, dropped", report)


def _drop(frame: pl.DataFrame, gone: pl.Series, shown: str, kind: str, report: TableReport) -> pl.DataFrame:
    dropped = frame.filter(gone)
    report.change(kind, dropped.height, ((f"row {row}: {shown} {value}", "") for row, value in zip(
        dropped["_row"].head(5), dropped[shown].head(5), strict=True
    )))  # fmt: skip
    return frame.filter(~gone)
