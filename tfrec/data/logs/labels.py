"""Searches and actions become labels: (query, item, gain, weight), by a click model, tied to the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.clicks import Choice, Lists, choose_model, gains_of
from tfrec.clicks.lists import sums
from tfrec.config.search_log import LogLabelsConfig
from tfrec.data.clean import normalised_query
from tfrec.data.items import Catalogue
from tfrec.data.logs.rows import CART, CLICK, PURCHASE
from tfrec.data.report import TableReport
from tfrec.errors import DataError

LABELS: dict[str, Any] = {
    "query": pl.String, "key": pl.String, "item_id": pl.String, "item": pl.Int64, "gain": pl.Float32,
    "weight": pl.Float32, "confidence": pl.Float32, "attractiveness": pl.Float32, "ctr": pl.Float32,
    "impressions": pl.Int64, "clicks": pl.Int64, "carts": pl.Int64, "purchases": pl.Int64, "searches": pl.Int64,
}  # fmt: skip
_READ = ("search", "time", "query", "items", "positions")
_FLAT: dict[str, Any] = {
    "search": pl.Int64, "time": pl.Int64, "code": pl.Int32, "item": pl.Int32, "positions": pl.Int16,
    **dict.fromkeys((CLICK, CART, PURCHASE), pl.Boolean),
}  # fmt: skip
_DAY = 86_400
_SURE = 0.5  # of a negative


@dataclass(frozen=True)
class _Shown:
    """All shown items of all lists, flat, in the order of lists and places; queries and items as numbers."""

    query: np.ndarray  # int32 [L]
    item: np.ndarray  # int32 [L], row of the catalogue, -1 when it has left
    position: np.ndarray  # int16 [L]
    done: dict[str, np.ndarray]  # action -> bool [L]
    lengths: np.ndarray  # int64 [S]
    time: np.ndarray  # int64 [S]


def log_labels(
    shares: Sequence[Path],
    catalogue: Catalogue,
    config: LogLabelsConfig,
    min_gain: float,
    leave_out: set[str],
    seed: int,
    report: TableReport,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Labels of a joined log.

    Args:
        shares: the folders that `read_log` gives.
        catalogue: the products; shown items that have left keep their places in the lists and give no labels.
        config: how labels are made.
        min_gain: below it a label is a negative, which wants more confidence.
        leave_out: normalised queries that the shop has judged itself, which give no labels.
        seed: draws what chooses the click model.
        report: is told everything that is left out.

    Returns:
        a frame with the columns of LABELS, by query (the most frequent first) and gain; what the report tells of the
        click models.

    Raises:
        DataError: no search has a list of shown items.
    """
    queries = _queries(shares)
    shown = _flat(shares, queries, catalogue, config.max_depth, report)
    if not len(shown.query):
        raise DataError(
            "The search log names no items that its searches showed, so nothing tells why others were not clicked: add "
            "rows of shown items, or give the clicks as data.searches with their counts as gain."
        )
    names, searches = _names(queries)
    width = catalogue.frame.height + 1  # items, and one more for those that have left
    keys, pair = np.unique(shown.query.astype(np.int64) * width + shown.item + 1, return_inverse=True)
    query, item = keys // width, keys % width - 1
    lists = _lists(shown, pair.astype(np.int32), len(keys), config.half_life_days)
    choice = choose_model(lists, config.model, seed)
    counts = {name: np.bincount(pair, done, len(keys)) for name, done in shown.done.items()}
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
    frame = _worth_it(frame, config, min_gain, leave_out, report)
    ids = catalogue.frame.select("item_id", pl.int_range(pl.len(), dtype=pl.Int64).alias("item"))
    frame = frame.join(ids, on="item", how="left", maintain_order="left")
    frame = frame.select([pl.col(name).cast(kind) for name, kind in LABELS.items()])
    frame = frame.sort(["searches", "query", "gain", "item"], descending=[True, False, True, False])
    report.rows_kept = frame.height
    report.columns = {name: 1.0 for name in LABELS if name != "key"}
    return frame, _told(choice, lists, frame)


def _queries(shares: Sequence[Path]) -> pl.DataFrame:
    """query (as typed), key (normalised), searches, code (a number for each key); the most frequent spelling first."""
    typed = pl.concat([pl.read_parquet(one / "searches.parquet", columns=["query"]) for one in shares])
    found = typed.group_by("query").len("searches").sort(["searches", "query"], descending=[True, False])
    keys = pl.Series("key", [normalised_query(query) for query in found["query"]], dtype=pl.String)
    found = found.with_columns(keys).filter(pl.col("key") != "")
    codes = found.select(pl.col("key").unique(maintain_order=True)).with_row_index("code")
    return found.join(codes, on="key", how="left", maintain_order="left")


def _names(queries: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """The spelling and key of every code, and how often it was searched."""
    names = queries.group_by("code").agg(
        pl.col("query").first(), pl.col("key").first(), pl.col("searches").sum()
    ).sort("code")  # fmt: skip
    return names, names["searches"].to_numpy().astype(np.int64)


def _flat(
    shares: Sequence[Path], queries: pl.DataFrame, catalogue: Catalogue, max_depth: int, report: TableReport
) -> _Shown:
    ids = catalogue.frame.select("item_id", pl.int_range(pl.len(), dtype=pl.Int32).alias("item"))
    if catalogue.merged:
        others = pl.DataFrame({"item_id": list(catalogue.merged), "kept": list(catalogue.merged.values())})
        others = others.join(ids.rename({"item_id": "kept"}), on="kept").select("item_id", "item")
        ids = pl.concat([ids, others.join(ids, on="item_id", how="anti")])
    codes = queries.select("query", pl.col("code").cast(pl.Int32))
    parts: list[pl.DataFrame] = []
    left: dict[str, int] = {}
    deep = gone = 0
    for share in shares:
        searches = pl.read_parquet(share / "searches.parquet", columns=list(_READ))
        rows = searches.filter(pl.col("items").list.len() > 0).explode("items", "positions")
        if not rows.height:
            continue
        deep += int((rows["positions"] >= max_depth).sum())
        rows = rows.filter(pl.col("positions") < max_depth).rename({"items": "item_id"})
        rows = rows.join(codes, on="query", how="inner", maintain_order="left")
        rows = rows.join(ids, on="item_id", how="left", maintain_order="left")
        rows = rows.with_columns(pl.col("item").fill_null(-1))
        strangers = rows.filter(pl.col("item") < 0)["item_id"]
        gone += len(strangers)
        if len(left) < 5:
            left.update(dict.fromkeys(strangers.unique(maintain_order=True).head(5).to_list(), 0))
        actions = pl.read_parquet(share / "actions.parquet").filter("shown")
        done = actions.group_by("search", "item_id").agg(
            *((pl.col("action") == name).any().alias(name) for name in (CART, PURCHASE)), pl.lit(True).alias(CLICK)
        )
        rows = rows.join(done, on=["search", "item_id"], how="left", maintain_order="left")
        kinds = (pl.col(name).fill_null(False) for name in (CLICK, CART, PURCHASE))
        parts.append(rows.select("search", "time", "code", "item", pl.col("positions").cast(pl.Int16), *kinds))
    if deep:
        report.change(f"shown items below place {max_depth} (data.search_log.labels.max_depth), left out", deep)
    if gone:
        examples = ((item, "") for item in list(left)[:5])
        report.change("shown items that are not in the catalogue, no labels", gone, examples)
        report.rows_gone += gone
    rows = pl.concat(parts) if parts else pl.DataFrame(schema=_FLAT)
    runs = rows["search"].rle().struct.unnest() if rows.height else pl.DataFrame({"len": pl.Series([], dtype=pl.Int64)})
    lengths = runs["len"].to_numpy().astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
    return _Shown(
        rows["code"].to_numpy(), rows["item"].to_numpy(), rows["positions"].to_numpy(),
        {name: rows[name].to_numpy() for name in (CLICK, CART, PURCHASE)}, lengths, rows["time"].to_numpy()[starts],
    )  # fmt: skip


def _lists(shown: _Shown, pair: np.ndarray, pairs: int, half_life: float | None) -> Lists:
    start = np.concatenate([[0], np.cumsum(shown.lengths)]).astype(np.int64)
    weight = np.ones(len(shown.time))
    if half_life is not None and len(weight):
        weight = 0.5 ** ((shown.time.max() - shown.time) / (half_life * _DAY))
    return Lists(pair, shown.position, shown.done[CLICK], start, weight, pairs)


def _worth_it(
    frame: pl.DataFrame, config: LogLabelsConfig, min_gain: float, leave_out: set[str], report: TableReport
) -> pl.DataFrame:
    """The labels that tell something, of queries that the shop has not judged."""
    frame = frame.filter(pl.col("item") >= 0)
    sure = pl.when(pl.col("gain") < min_gain).then(max(_SURE, config.min_confidence)).otherwise(config.min_confidence)
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
