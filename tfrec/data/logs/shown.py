"""What a log's searches showed as flat arrays, queries and items as numbers: what click models are fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.clicks import Lists
from tfrec.data.clean import normalised_query
from tfrec.data.items import Catalogue, item_rows
from tfrec.data.logs.rows import CART, CLICK, PURCHASE
from tfrec.data.report import TableReport

_READ = ("search", "time", "query", "items", "positions")
_ROW: dict[str, Any] = {
    "search": pl.Int64, "time": pl.Int64, "code": pl.Int32, "item": pl.Int32, "positions": pl.Int16,
    **dict.fromkeys((CLICK, CART, PURCHASE), pl.Boolean),
}  # fmt: skip
_DAY = 86_400


@dataclass(frozen=True)
class Shown:
    """All shown items of all lists, flat, in the order of lists and places; queries and items as numbers."""

    query: np.ndarray  # int32 [L]
    item: np.ndarray  # int32 [L], row of the catalogue, -1 when it has left
    position: np.ndarray  # int16 [L]
    done: dict[str, np.ndarray]  # action -> bool [L]
    lengths: np.ndarray  # int64 [S]
    time: np.ndarray  # int64 [S]


def typed_queries(shares: Sequence[Path], before: int | None = None) -> pl.DataFrame:
    """query (as typed), key (normalised), searches, code (a number for each key); the most frequent spelling first.

    Args:
        shares: folders of the joined log.
        before: the second from which on searches do not count; None for no such.
    """
    typed = pl.concat([pl.scan_parquet(one / "searches.parquet").filter(_earlier(before)).select("query").collect()
                       for one in shares])  # fmt: skip
    found = typed.group_by("query").len("searches").sort(["searches", "query"], descending=[True, False])
    keys = pl.Series("key", [normalised_query(query) for query in found["query"]], dtype=pl.String)
    found = found.with_columns(keys).filter(pl.col("key") != "")
    codes = found.select(pl.col("key").unique(maintain_order=True)).with_row_index("code")
    return found.join(codes, on="key", how="left", maintain_order="left")


def spellings(queries: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """The spelling and key of every code, and how often it was searched."""
    names = queries.group_by("code").agg(
        pl.col("query").first(), pl.col("key").first(), pl.col("searches").sum()
    ).sort("code")  # fmt: skip
    return names, names["searches"].to_numpy().astype(np.int64)


def shown_items(
    shares: Sequence[Path], queries: pl.DataFrame, catalogue: Catalogue, max_depth: int, before: int | None,
    report: TableReport,
) -> Shown:  # fmt: skip
    """What searches before a second showed, and what was done about it before that second (None: in the whole log)."""
    ids = item_rows(catalogue).with_columns(pl.col("item").cast(pl.Int32))
    codes = queries.select("query", pl.col("code").cast(pl.Int32))
    parts: list[pl.DataFrame] = []
    left: dict[str, str] = {}
    deep = gone = late = 0
    for share in shares:
        searches = pl.read_parquet(share / "searches.parquet", columns=list(_READ))
        early = searches.filter(_earlier(before))
        late += searches.height - early.height
        rows = early.filter(pl.col("items").list.len() > 0).explode("items", "positions")
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
            left.update(dict.fromkeys(strangers.unique(maintain_order=True).head(5), ""))
        actions = pl.read_parquet(share / "actions.parquet").filter(pl.col("shown") & _earlier(before))
        done = actions.group_by("search", "item_id").agg(
            *((pl.col("action") == name).any().alias(name) for name in (CART, PURCHASE)), pl.lit(True).alias(CLICK)
        )
        rows = rows.join(done, on=["search", "item_id"], how="left", maintain_order="left")
        kinds = (pl.col(name).fill_null(False) for name in (CLICK, CART, PURCHASE))
        parts.append(rows.select("search", "time", "code", "item", pl.col("positions").cast(pl.Int16), *kinds))
    report.change("searches of the held-out weeks (data.split), no labels", late)
    report.change(f"shown items below place {max_depth} (data.search_log.labels.max_depth), left out", deep)
    report.change("shown items that are not in the catalogue, no labels", gone, left.items())
    rows = pl.concat(parts) if parts else pl.DataFrame(schema=_ROW)
    if gone > rows.height / 2:
        report.warn([f"{gone:,} of {rows.height:,} items that the search log showed are not in the catalogue"])
    runs = rows["search"].rle().struct.unnest() if rows.height else pl.DataFrame({"len": pl.Series([], dtype=pl.Int64)})
    lengths = runs["len"].to_numpy().astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
    return Shown(
        rows["code"].to_numpy(), rows["item"].to_numpy(), rows["positions"].to_numpy(),
        {name: rows[name].to_numpy() for name in (CLICK, CART, PURCHASE)}, lengths, rows["time"].to_numpy()[starts],
    )  # fmt: skip


def _earlier(before: int | None) -> pl.Expr:
    return pl.lit(True) if before is None else pl.col("time") < before


def lists_of(shown: Shown, pair: np.ndarray, pairs: int, half_life: float | None) -> Lists:
    start = np.concatenate([[0], np.cumsum(shown.lengths)]).astype(np.int64)
    weight = np.ones(len(shown.time))
    if half_life is not None and len(weight):
        weight = 0.5 ** ((shown.time.max() - shown.time) / (half_life * _DAY))
    return Lists(pair, shown.position, shown.done[CLICK], start, weight, pairs)
