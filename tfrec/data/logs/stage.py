"""The search log's part of preparing a shop's data: read, joined, kept, and made into searches to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config, DataConfig
from tfrec.data.clean import normalised_query
from tfrec.data.items import Catalogue
from tfrec.data.layouts.resolve import every_file
from tfrec.data.logs.insights import log_insights
from tfrec.data.logs.labels import log_labels
from tfrec.data.logs.parts import log_digest, read_log
from tfrec.data.logs.shown import typed_queries
from tfrec.data.privacy import shopper_ids
from tfrec.data.report import TableReport
from tfrec.errors import DataError
from tfrec.files import linked

FOLDER = "search_log"
_LETTERS = 16


@dataclass(frozen=True)
class LogLabels:
    """What a log gives.

    Attributes:
        searches: query_id, query, item_id, item, gain, weight, `key` (the normalised query), as `load_searches` gives.
        told: what the report tells beside the table's own part: click_model, and insights (what people do not find).
    """

    searches: pl.DataFrame
    told: dict[str, Any]


def work_folder(base: Path) -> Path:
    """Where a log lies while it is read, beside the prepared data of a run."""
    return base.parent / FOLDER


def joined_log(config: Config, data: DataConfig, root: Path, work: Path, report: TableReport) -> list[Path]:
    """Reads the log and joins it.

    Args:
        config: the whole configuration; what becomes of ids matters.
        data: the section data with its log.
        root: folder that paths are relative to.
        work: `work_folder`; what a killed run has done there is not done again.
        report: is told everything that is left out.

    Returns:
        folders of its shares.
    """
    log = data.search_log
    assert log is not None
    files = every_file(log, root)
    ids = shopper_ids(config, "search_log")
    digest = log_digest(log, data.cleaning, files, ids)[:_LETTERS]
    return read_log(files, log, root, data.cleaning, work / digest, report, ids)


def log_searches(
    config: Config, data: DataConfig, shares: Sequence[Path], folder: Path, catalogue: Catalogue,
    judged: pl.DataFrame | None, before: int | None, report: TableReport,
) -> LogLabels:  # fmt: skip
    """Makes labels of a joined log, and keeps it.

    Args:
        config: the whole configuration; its seed matters.
        data: the section data with its log.
        shares: as `joined_log` gives.
        folder: the prepared data, which gets search_log/*/{searches,actions}.parquet and log_labels.parquet.
        catalogue: the products.
        judged: the shop's own judgments with `query`, or None; their queries give no labels, in whatever split.
        before: the second from which on nothing gives labels; None for no such.
        report: is told everything that is left out.

    Returns:
        the labels.
    """
    log = data.search_log
    assert log is not None
    own = {normalised_query(query) for query in judged["query"].unique()} if judged is not None else set()
    labels, model = log_labels(shares, catalogue, log.labels, own, before, config.seed, report)
    if not labels.height and judged is None:
        raise DataError(
            f"The search log leaves no label ({model['impressions']:,} shown items, {model['clicks']:,} clicks): a "
            "longer log helps, or lower data.search_log.labels.min_searches and min_confidence."
        )
    labels.write_parquet(folder / "log_labels.parquet")
    for share in shares:
        kept = folder / FOLDER / share.name.removeprefix("joined-")
        kept.mkdir(parents=True)
        for name in ("searches.parquet", "actions.parquet"):
            linked(share / name, kept / name)
    numbers = labels.select(pl.col("key").unique(maintain_order=True)).with_columns(
        pl.format("log{}", pl.int_range(pl.len())).alias("query_id")
    )
    searches = labels.join(numbers, on="key", how="left", maintain_order="left")
    skipped = pl.col("gain") < log.labels.skipped_gain  # no positives of little weight, but negatives
    searches = searches.with_columns(pl.when(skipped).then(0.0).otherwise("gain").cast(pl.Float32).alias("gain"))
    told = {"click_model": model, "insights": log_insights(shares, typed_queries(shares))}
    return LogLabels(searches.select("query_id", "query", "item_id", "item", "gain", "weight", "key"), told)
