"""A log's files as rows of one form: actions by kind, times in seconds, staff and machines left out and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.search_log import SearchLogConfig
from tfrec.data.clean import clean_texts
from tfrec.data.layouts.rows import read_rows
from tfrec.data.logs import ga4, ubi
from tfrec.data.logs.attribution import attributions
from tfrec.data.logs.leaving_out import known_actions, shoppers_rows
from tfrec.data.logs.raw import json_batches, parquet_batches, record_keys
from tfrec.data.logs.rows import LISTED, ROW, SEARCH
from tfrec.data.privacy import ShopperIds
from tfrec.data.report import TableReport
from tfrec.data.tables.files import kind_of
from tfrec.data.tables.nulls import without_nulls
from tfrec.data.tables.times import Times, plausible
from tfrec.data.tables.where import wanted_rows
from tfrec.data.validate import Rule, apply_rules, number_or_empty
from tfrec.errors import DataError

_REQUIRED = ("query", "item_id", "action", "timestamp")
_OPTIONAL = (
    "query_id", "position", "user_id", "visitor_id", "session_id", "amount", "results", "agent", "experiment", "variant"
)  # fmt: skip
_EXPERIMENT = ("experiment", "variant")
_TEXTS = ("query_id", "query", "item_id", "visitor", "user", "session", "agent", "action", "timestamp", *_EXPERIMENT)
_NUMBERS = ("position", "results", "amount")


def log_rows(
    path: Path, config: SearchLogConfig, root: Path, cleaning: CleaningConfig, report: TableReport,
    ids: ShopperIds | None = None,
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """The rows of one file.

    Args:
        path: the file.
        config: the log's section.
        root: the folder that paths in the configuration are relative to.
        cleaning: how queries are repaired, and how strict to be.
        report: is told everything that is left out or cannot be read.
        ids: what becomes of the ids of visitors, users and sessions; None leaves them as they are.

    Yields:
        frames of ROW, in the file's order.

    Raises:
        DataError: the file is not of the form that the configuration says, is cut off, or has too many faulty rows.
    """
    times = Times(config.timestamp_format, "data.search_log")
    order = 0
    for fields in _fields(path, config, root, report):
        frame = _normalised(fields, path, config, cleaning, times, report, ids)
        frame = frame.with_columns(pl.int_range(order, order + frame.height, dtype=pl.Int64).alias("order"))
        order += frame.height
        yield frame.select([pl.col(name).cast(kind) for name, kind in ROW.items()])
    report.notes.extend(times.notes())
    report.judge()


def _fields(path: Path, config: SearchLogConfig, root: Path, report: TableReport) -> Iterator[pl.DataFrame]:
    """Records as texts under the log's common names, with `_row`."""
    container = kind_of(path, config, [])
    columns = record_keys(path, container)
    kind = config.kind
    if kind == "auto":
        kind = "ubi" if ubi.fits(columns) else "ga4" if ga4.fits(columns) else "table"
    if kind == "table":
        yield from _of_table(path, config, root, report)
        return
    form = ubi if kind == "ubi" else ga4
    if container not in ("jsonl", "json", "parquet") or not form.fits(columns):
        found = f"the columns {', '.join(sorted(columns))[:200]}" if columns else "no such records"
        raise DataError(
            f"{path} is no {kind.upper()} log: it has {found}. Set data.search_log.kind to table and name "
            "data.search_log.columns, or give the file that was meant."
        )
    wanted = {**{name: pl.String for name in config.where}, **form.SCHEMA}
    batches = parquet_batches(path, wanted) if container == "parquet" else json_batches(path, wanted)
    bulk = 0
    for frame, rejected, action_lines in batches:
        report.read(path, frame.height + len(rejected))
        report.fault("unreadable row", path, rejected)
        bulk += action_lines
        kept = _wanted(frame, config, path, report)
        yield ubi.fields(kept) if kind == "ubi" else ga4.fields(kept, config.lists)
    if bulk:
        report.notes.append(f"{path.name} is a bulk file: its {bulk:,} action lines are passed over")
    report.notes.append(f"{path.name} is read as {'User Behavior Insights' if kind == 'ubi' else 'an export of GA4'}")


def _wanted(frame: pl.DataFrame, config: SearchLogConfig, path: Path, report: TableReport) -> pl.DataFrame:
    for name, words in config.where.items():
        if name not in frame.columns:
            raise DataError(f"{path} has no column {name!r}, which data.search_log.where names: name another one.")
        keep = wanted_rows(frame[name].cast(pl.String).fill_null(""), words)
        others = frame.filter(~keep)[name].cast(pl.String).fill_null("")
        shown = ((value, "") for value in others.unique(maintain_order=True).head(5))
        report.change(f"rows of another {name} than wanted, left out", len(others), shown)
        frame = frame.filter(keep)
    return frame


def _of_table(path: Path, config: SearchLogConfig, root: Path, report: TableReport) -> Iterator[pl.DataFrame]:
    one = config.model_copy(update={"path": str(path)})
    others = {"visitor_id": "visitor", "user_id": "user", "session_id": "session"}
    for batch in read_rows(one, root, _REQUIRED, _OPTIONAL, "search_log"):
        report.take(batch)
        if batch.frame.height:
            frame = batch.frame.rename({name: to for name, to in others.items() if name in batch.frame.columns})
            absent = [name for name in (*_TEXTS, *_NUMBERS) if name not in frame.columns]
            frame = frame.with_columns(pl.lit("").alias(name) for name in absent)
            yield frame.with_columns(pl.lit(None, pl.List(pl.String)).alias("answers"))


def _normalised(
    frame: pl.DataFrame,
    path: Path,
    config: SearchLogConfig,
    cleaning: CleaningConfig,
    times: Times,
    report: TableReport,
    ids: ShopperIds | None,
) -> pl.DataFrame:
    absent = [name for name in _EXPERIMENT if name not in frame.columns]
    frame = frame.with_columns(pl.lit("").alias(name) for name in absent)
    frame = frame.with_columns(pl.col(name).fill_null("").str.strip_chars() for name in (*_TEXTS, *_NUMBERS))
    for name in ("query_id", "item_id", "visitor", "user", "session"):
        kept, words = without_nulls(frame[name], config.null_values)
        if len(words):
            report.change(f"words for no value in {name}, read as empty", len(words))
            frame = frame.with_columns(kept)
    frame = shoppers_rows(known_actions(frame, config, report), config, report)  # which names ids as the log has them
    if ids is not None:
        frame = ids(frame, ["visitor", "user", "session"], report)
    known = [pl.when(pl.col(name) != "").then(name) for name in ("visitor", "user", "session", "query_id")]
    seconds, waiting = times.read(frame["timestamp"])
    frame = frame.with_columns(
        pl.coalesce(known).fill_null("").alias("visitor"), seconds.alias("time"), waiting.alias("_waiting")
    )
    attribution, unread = attributions(frame["experiment"], frame["variant"])
    report.change("experiments of searches that cannot be read, left out", unread)
    frame = frame.with_columns(attribution.alias("attribution"))
    frame = clean_texts(frame, ["query"], cleaning, report)
    for name in _NUMBERS:
        frame = number_or_empty(frame, name, path, report)
    frame = apply_rules(frame, path, _rules(), report)
    whole = (pl.col(name).cast(pl.Float64, strict=False).cast(pl.Int32, strict=False) for name in _NUMBERS[:2])
    return _with_answers(frame.with_columns(*whole, pl.col("amount").cast(pl.Float32, strict=False)))


def _rules() -> list[Rule]:
    time = pl.col("time")
    outside = time.is_not_null() & ~time.map_batches(plausible, return_dtype=pl.Boolean)
    what = "timestamp {} is no time that can be read; data.search_log.timestamp_format says how to"
    return [
        Rule("bad timestamp", "timestamp", time.is_null() | pl.col("_waiting"), what),
        Rule("bad timestamp", "timestamp", outside, "timestamp {} is not between 1995 and tomorrow"),
        Rule(
            "nobody's row", "action", pl.col("visitor") == "",
            "{} has neither a visitor nor a user, a session or a query id: name one of them in data.search_log.columns",
        ),
        Rule(
            "empty item_id", "action", (pl.col("item_id") == "") & (pl.col("kind") != SEARCH), "{} names no item_id",
        ),
    ]  # fmt: skip


def _with_answers(frame: pl.DataFrame) -> pl.DataFrame:
    """A row more for each item that the engine answered a search with."""
    answers = frame.filter((pl.col("kind") == SEARCH) & (pl.col("answers").list.len() > 0))
    if not answers.height:
        return frame
    listed = answers.with_columns(
        pl.int_ranges(0, pl.col("answers").list.len(), dtype=pl.Int32).alias("position"), pl.lit(LISTED).alias("kind")
    ).explode("answers", "position")
    listed = listed.with_columns(
        pl.col("answers").fill_null("").alias("item_id"), pl.lit(None, pl.Float32).alias("amount")
    )
    listed = listed.with_columns(pl.lit(None, frame.schema["answers"]).alias("answers")).select(frame.columns)
    return pl.concat([frame, listed.filter(pl.col("item_id") != "")])
