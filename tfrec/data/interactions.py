"""Purchases and clicks: read, cleaned, checked, tied to the catalogue."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tfrec.config.data import CleaningConfig, InteractionsConfig, ItemsConfig
from tfrec.data.clean import matches
from tfrec.data.items import Catalogue
from tfrec.data.report import TableReport
from tfrec.data.searches import tie_to_catalogue
from tfrec.data.tables.files import files_of
from tfrec.data.tables.read import read_table
from tfrec.data.timestamps import Timestamps
from tfrec.data.validate import number_or_empty
from tfrec.errors import DataError


def load_interactions(
    config: InteractionsConfig,
    root: Path,
    catalogue: Catalogue,
    items: ItemsConfig,
    cleaning: CleaningConfig,
    report: TableReport,
) -> pl.DataFrame:
    """Reads interactions. Rows without a user_id (purchases without a customer account) teach nothing about a
    shopper's taste and are dropped, counted as cleaning, not as faults.

    Args:
        config: where they are, which events count, how cancelled orders look.
        root: folder that the path is relative to.
        catalogue: the products that they must name.
        items: the catalogue's configuration.
        cleaning: how strict to be.
        report: is told everything that is dropped.

    Returns:
        user_id, item_id, item Int64, event, timestamp Int64 (unix seconds, UTC), quantity Float32, and segment where
        the shop maps one; sorted by user, then time, then place in the file.

    Raises:
        DataError: unreadable files, too many faults, nothing left.
    """
    batches: list[pl.DataFrame] = []
    seen_events: set[str] = set()
    segmented = False
    times = Timestamps(config, report)
    file = files_of(config, root)[0]
    optional = ("event", "quantity", "order_id", "segment")
    for batch in read_table(config, root, ("user_id", "item_id", "timestamp"), optional, "interactions"):
        file = batch.file
        report.take(batch)
        if not batch.frame.height:
            continue
        _needs(config, batch.frame, file)
        if "event" in batch.frame.columns and len(seen_events) < 20:
            seen_events.update(batch.frame["event"].unique().head(20))
        frame = _wanted_only(batch.frame, config, report)
        frame = times.read(frame, file)
        if "quantity" in frame.columns:
            frame = number_or_empty(frame, "quantity", file, report)
        frame = tie_to_catalogue(frame, file, catalogue, items, report)
        quantity = pl.col("quantity").cast(pl.Float32, strict=False) if "quantity" in frame.columns else pl.lit(1.0)
        event = pl.col("event") if "event" in frame.columns else pl.lit("purchase")
        order = pl.col("order_id") if "order_id" in frame.columns else pl.lit("")
        segment = pl.col("segment") if "segment" in frame.columns else pl.lit("")
        segmented = segmented or "segment" in frame.columns
        batches.append(
            frame.select(
                "user_id",
                "item_id",
                "item",
                event.alias("event"),
                "timestamp",
                quantity.cast(pl.Float32).fill_null(1.0).alias("quantity"),
                order.alias("order_id"),
                segment.alias("segment"),
                *times.hidden(frame),
            )
        )
    frame = times.finish(pl.concat(batches)) if batches else pl.DataFrame()
    report.judge()
    if not frame.height:
        report.check_known(file)
        kinds = f"; its events are {', '.join(sorted(seen_events))}" if config.events and seen_events else ""
        raise DataError(f"{file} has no usable interaction{kinds}: look at data.interactions in the configuration.")
    before = frame.height
    frame = frame.unique(keep="first", maintain_order=True).drop(["order_id"] if segmented else ["order_id", "segment"])
    report.change("duplicate rows, dropped", before - frame.height)
    report.rows_kept = frame.height
    report.columns = {name: 1.0 for name in frame.columns}
    return frame.sort("user_id", "timestamp", maintain_order=True)


def _needs(config: InteractionsConfig, frame: pl.DataFrame, file: Path) -> None:
    for setting, column in (("events", "event"), ("cancelled_pattern", "order_id")):
        if getattr(config, setting) and column not in frame.columns:
            raise DataError(
                f"{file} has no column {column!r}, which data.interactions.{setting} needs: name it in "
                f"data.interactions.columns, or remove {setting}."
            )


def _wanted_only(frame: pl.DataFrame, config: InteractionsConfig, report: TableReport) -> pl.DataFrame:
    """Drops what is no completed purchase of a known shopper, counting each reason."""
    if config.events:
        frame = _drop(frame, ~frame["event"].is_in(config.events), "event", "other kinds of event, dropped", report)
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
