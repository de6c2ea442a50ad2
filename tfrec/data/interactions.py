"""Purchases and clicks: read, cleaned, checked, tied to the catalogue."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.shop_tables import InteractionsConfig, ItemsConfig
from tfrec.data.by_shopper import ByShopper, written_aside
from tfrec.data.clean import matches
from tfrec.data.items import Catalogue
from tfrec.data.layouts.rows import read_rows
from tfrec.data.preference import liked_only, made_up_times, order_rules, rating_rules
from tfrec.data.privacy import ShopperIds
from tfrec.data.report import TableReport
from tfrec.data.searches import tie_to_catalogue
from tfrec.data.tables.files import files_of
from tfrec.data.timestamps import HIDDEN, Timestamps
from tfrec.data.validate import apply_rules, number_or_empty
from tfrec.errors import DataError


def load_interactions(
    config: InteractionsConfig,
    root: Path,
    catalogue: Catalogue,
    items: ItemsConfig,
    cleaning: CleaningConfig,
    report: TableReport,
    work: Path,
    most: int | None = None,
    ids: ShopperIds | None = None,
) -> list[Path]:
    """Reads interactions in bounded memory. Rows without a user_id (purchases without a customer account) teach nothing
    about a shopper's taste and are dropped, counted as cleaning, not as faults.

    Args:
        config: where they are, which events count, how cancelled orders look.
        root: folder that the path is relative to.
        catalogue: the products that they must name.
        items: the catalogue's configuration.
        cleaning: how strict to be.
        report: is told everything that is dropped.
        work: a folder that is not there yet, for what is read and for the parts.
        most: rows after which reading stops, where not all are wanted.
        ids: what becomes of user_id; None leaves it as it is.

    Returns:
        the table in Parquet files, each with whole shoppers, the parts of
        user_id, item_id, item Int64, event, timestamp Int64 (unix seconds, UTC), quantity Float32, segment where the
        shop maps one, and weight Float32 where events or ratings have one; sorted by user, then time, then place in
        the file.

    Raises:
        DataError: unreadable files, too many faults, nothing left.
    """
    rows = ByShopper(work / "runs")
    seen_events: set[str] = set()
    segmented = weighed = False
    times = Timestamps(config, report)
    file = files_of(config, root)[0]
    optional = ["event", "quantity", "order_id", "rating", "segment"]
    required = ["user_id", "item_id"]
    (optional if config.order_is_time else required).append("timestamp")
    for batch in read_rows(config, root, required, optional, "interactions", most=most):
        file = batch.file
        report.take(batch)
        if not batch.frame.height:
            continue
        _needs(config, batch.frame, file)
        if "event" in batch.frame.columns and len(seen_events) < 20:
            seen_events.update(batch.frame["event"].unique().head(20))
        frame = batch.frame if ids is None else ids(batch.frame, ["user_id"], report)
        frame = _wanted_only(frame, config, report)
        if not config.order_is_time:
            frame = times.read(frame, file)
        elif "timestamp" not in frame.columns:
            frame = frame.with_columns(pl.lit("").alias("timestamp"))
        if "quantity" in frame.columns:
            frame = number_or_empty(frame, "quantity", file, report)
        rules = (order_rules() if config.order_is_time else []) + (
            rating_rules() if config.min_rating is not None else []
        )
        frame = liked_only(apply_rules(frame, file, rules, report), config, report)
        frame = tie_to_catalogue(frame, file, catalogue, items, report, sparse=True)
        quantity = pl.col("quantity").cast(pl.Float32, strict=False) if "quantity" in frame.columns else pl.lit(1.0)
        event = pl.col("event") if "event" in frame.columns else pl.lit("purchase")
        order = pl.col("order_id") if "order_id" in frame.columns else pl.lit("")
        segment = pl.col("segment") if "segment" in frame.columns else pl.lit("")
        weighed = weighed or "weight" in frame.columns
        weight = pl.col("weight") if "weight" in frame.columns else pl.lit(1.0, pl.Float32)
        segmented = segmented or "segment" in frame.columns
        columns = (
            "user_id",
            "item_id",
            "item",
            event.alias("event"),
            "timestamp",
            quantity.cast(pl.Float32).fill_null(1.0).alias("quantity"),
            order.alias("order_id"),
            segment.alias("segment"),
            weight.alias("weight"),
        )
        if frame.height:
            rows.add(frame.select(*columns) if config.order_is_time else times.select(frame, *columns))
    if not config.order_is_time and rows.rows:
        times.finish(rows)
    report.judge()
    if not rows.rows:
        report.check_known(file)
        kinds = f"; its events are {', '.join(sorted(seen_events))}" if config.events and seen_events else ""
        raise DataError(f"{file} has no usable interaction{kinds}: look at data.interactions in the configuration.")
    if config.order_is_time:
        report.notes.append(
            "the rows have no times: their order stands for them, the last tenth of each shopper's is the latest; "
            "baskets, seasons and trends are unknown"
        )
    kept = {"segment": segmented, "weight": weighed, "order_id": False}
    dropped = [*HIDDEN, *(name for name, wanted in kept.items() if not wanted)]
    parts = (_in_order(part, config, dropped, report) for part in rows.parts())
    return written_aside(parts, work / "parts")


def _in_order(part: pl.DataFrame, config: InteractionsConfig, dropped: list[str], report: TableReport) -> pl.DataFrame:
    """Some shoppers' rows, each once, by shopper and time."""
    part = part.drop(HIDDEN, strict=False)
    if config.order_is_time:
        part = made_up_times(part)
    before = part.height
    part = part.unique(keep="first", maintain_order=True)
    report.change("duplicate rows, dropped", before - part.height)
    report.rows_kept += part.height
    part = part.drop(dropped, strict=False)
    report.columns = dict.fromkeys(part.columns, 1.0)
    return part.sort("user_id", "timestamp", maintain_order=True)


def _needs(config: InteractionsConfig, frame: pl.DataFrame, file: Path) -> None:
    for setting, column in (("events", "event"), ("cancelled_pattern", "order_id"), ("min_rating", "rating")):
        if getattr(config, setting) not in (None, [], {}) and column not in frame.columns:
            raise DataError(
                f"{file} has no column {column!r}, which data.interactions.{setting} needs: name it in "
                f"data.interactions.columns, or remove {setting}."
            )


def _wanted_only(frame: pl.DataFrame, config: InteractionsConfig, report: TableReport) -> pl.DataFrame:
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
