"""Searches and actions become labels: (query, item, gain, weight), by a click model, tied to the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.clicks import Choice, Lists, choose_model, gains_of
from tfrec.clicks.lists import sums
from tfrec.config.search_log import LogLabelsConfig
from tfrec.data.items import Catalogue
from tfrec.data.logs.rows import CART, CLICK, PURCHASE
from tfrec.data.logs.shown import lists_of, shown_items, spellings, typed_queries
from tfrec.data.report import TableReport
from tfrec.errors import DataError

LABELS: dict[str, Any] = {
    "query": pl.String, "key": pl.String, "item_id": pl.String, "item": pl.Int64, "gain": pl.Float32,
    "weight": pl.Float32, "confidence": pl.Float32, "attractiveness": pl.Float32, "ctr": pl.Float32,
    "impressions": pl.Int64, "clicks": pl.Int64, "carts": pl.Int64, "purchases": pl.Int64, "searches": pl.Int64,
}  # fmt: skip
_SURE = 0.5  # of a negative


def log_labels(
    shares: Sequence[Path],
    catalogue: Catalogue,
    config: LogLabelsConfig,
    leave_out: set[str],
    before: int | None,
    seed: int,
    report: TableReport,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Labels of a joined log.

    Args:
        shares: the folders that `read_log` gives.
        catalogue: the products; shown items that have left keep their places in the lists and give no labels.
        config: how labels are made.
        leave_out: normalised queries that the shop has judged itself, which give no labels.
        before: the second from which on searches and actions tell nothing; None for no such.
        seed: draws what chooses the click model.
        report: is told everything that is left out.

    Returns:
        a frame with the columns of LABELS, by query (the most frequent first) and gain; what the report tells of the
        click models.

    Raises:
        DataError: no search has a list of shown items.
    """
    queries = typed_queries(shares, before)
    shown = shown_items(shares, queries, catalogue, config.max_depth, before, report)
    if not len(shown.query):
        raise DataError(
            "The search log names no items that its searches showed, so nothing tells why others were not clicked: add "
            "rows of shown items, or give the clicks as data.searches with their counts as gain."
        )
    names, searches = spellings(queries)
    width = catalogue.frame.height + 1  # items, and one more for those that have left
    keys, pair = np.unique(shown.query.astype(np.int64) * width + shown.item + 1, return_inverse=True)
    query, item = keys // width, keys % width - 1
    lists = lists_of(shown, pair.astype(np.int32), len(keys), config.half_life_days)
    choice = choose_model(lists, config.model, seed)
    counts = {name: sums(pair, done, len(keys)) for name, done in shown.done.items()}
    stronger = {name: sums(pair, shown.done[name] * lists.row_weight, len(keys)) for name in (CART, PURCHASE)}
    weights: dict[str, float] = {CLICK: 1.0, **{str(action): worth for action, worth in config.actions.items()}}
    gains = gains_of(choice.fitted, query, stronger, weights)
    frequency = searches[query]
    usual = float(np.mean(searches)) or 1.0
    frame = pl.DataFrame(
        {
            "query": pl.Series(names["query"].gather(query)),
            "key": pl.Series(names["key"].gather(query)),
            "item": item,
            "gain": gains.gain,
            "weight": gains.confidence * (frequency / usual) ** config.frequency_power,
            "confidence": gains.confidence,
            "attractiveness": choice.fitted.attractiveness,
            "ctr": choice.naive.attractiveness,
            "impressions": np.bincount(pair, minlength=len(keys)),
            "clicks": counts[CLICK],
            "carts": counts[CART],
            "purchases": counts[PURCHASE],
            "searches": frequency,
        }
    )
    frame = _worth_it(frame, config, leave_out, report)
    ids = catalogue.frame.select("item_id", pl.int_range(pl.len(), dtype=pl.Int64).alias("item"))
    frame = frame.join(ids, on="item", how="left", maintain_order="left")
    frame = frame.select([pl.col(name).cast(kind) for name, kind in LABELS.items()])
    frame = frame.sort(["searches", "query", "gain", "item"], descending=[True, False, True, False])
    report.rows_kept = frame.height
    report.columns = {name: 1.0 for name in LABELS if name != "key"}
    return frame, _told(choice, lists, frame)


def _worth_it(frame: pl.DataFrame, config: LogLabelsConfig, leave_out: set[str], report: TableReport) -> pl.DataFrame:
    """The labels that tell something, of queries that the shop has not judged."""
    frame = frame.filter(pl.col("item") >= 0)
    skipped = pl.col("gain") < config.skipped_gain
    sure = pl.when(skipped).then(max(_SURE, config.min_confidence)).otherwise(config.min_confidence)
    judged, rare = pl.col("key").is_in(list(leave_out)), pl.col("searches") < config.min_searches
    unsure = pl.col("confidence") < sure
    for kind, gone in (
        ("pairs of queries that the shop has judged itself, no labels", judged),
        (f"pairs of queries searched less than {config.min_searches} times, no labels", rare),
        ("pairs shown too rarely to tell (data.search_log.labels.min_confidence), no labels", unsure),
    ):
        lost = frame.filter(gone)
        report.change(kind, lost.height, ((query, "") for query in lost["query"].unique(maintain_order=True).head(5)))
        frame = frame.filter(~gone)
    return frame


def _told(choice: Choice, lists: Lists, frame: pl.DataFrame) -> dict[str, Any]:
    order = frame.filter(pl.col("gain") > 0).select("gain", "ctr")
    alike = float(order.select(pl.corr("gain", "ctr", method="spearman")).item()) if order.height > 2 else None
    return {
        "model": choice.fitted.model,
        "parameters": choice.fitted.parameters,
        "likelihood": choice.likelihood,
        "held_out_lists": choice.held_out,
        "lists": lists.size,
        "impressions": len(lists.pair),
        "clicks": int(lists.clicked.sum()),
        "prior": {"mean": choice.fitted.prior.mean, "strength": choice.fitted.prior.strength},
        "labels": frame.height,
        "queries": frame["key"].n_unique(),
        "rank_correlation_with_ctr": alike,
    }
