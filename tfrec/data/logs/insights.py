"""What people search and do not find: frequent queries, those without results or clicks, those typed anew, revenue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.logs.rows import ACTIONS, CART, PURCHASE

_AGAIN_SECONDS = 300  # a search after another one within this time, nothing clicked between, is the same wish
_FEW = 3  # searches below which a query's shares tell nothing
_COUNTS = ("searches", "without_results", "with_list", "without_clicks", "again", "carts", "purchases")


def log_insights(shares: Sequence[Path], typed: pl.DataFrame, most: int = 50) -> dict[str, Any]:
    """Tells what a joined log says about the shop's search.

    Args:
        shares: the folders that `read_log` gives.
        typed: what was typed in them, as `typed_queries` gives.
        most: queries in each table.

    Returns:
        totals, and tables by name (frequent, without_results, without_clicks, again, by_revenue), each a list of
        mappings with query, searches, shares of them, purchases and revenue; all in JSON's types. A search is without
        results when the log counts none, or shows none and counts nothing; `again` when the session's next search has
        other words, follows within five minutes and nothing was clicked before it.
    """
    parts, moves = zip(*(_of_share(share, typed.select("query", "key")) for share in shares), strict=True)
    queries = pl.concat(parts).group_by("key").agg(
        pl.col("query").first(), *(pl.col(name).sum() for name in _COUNTS), pl.col("revenue").sum(),
    )  # fmt: skip
    to = pl.concat(moves).group_by("key", "next").agg(pl.col("len").sum())
    to = to.sort(["len", "next"], descending=[True, False]).group_by("key", maintain_order=True).head(3)
    to = to.group_by("key", maintain_order=True).agg(pl.col("next"))
    queries = queries.join(to, on="key", how="left").sort(["searches", "query"], descending=[True, False])
    totals: dict[str, Any] = {name: int(queries[name].sum()) for name in _COUNTS}
    totals |= {"queries": queries.height, "revenue": round(float(queries["revenue"].sum()), 2)}
    known = queries.filter(pl.col("searches") >= min(_FEW, int(queries["searches"].max() or 0)))  # type: ignore[call-overload]
    order = {
        "frequent": ("searches", queries),
        "without_results": ("without_results", queries),
        "without_clicks": ("without_clicks", known.filter(pl.col("without_clicks") > 0.5 * pl.col("with_list"))),
        "again": ("again", known.filter(pl.col("again") > 0.2 * pl.col("searches"))),
        "by_revenue": ("revenue", queries),
    }
    tables = {
        name: _table(
            frame.filter(pl.col(column) > 0).sort([column, "query"], descending=[True, False]).head(most), totals
        )
        for name, (column, frame) in order.items()
    }
    return {"totals": totals, "tables": tables}


def _of_share(share: Path, keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Counts of each query of some visitors, and what was typed after it."""
    searches = pl.read_parquet(share / "searches.parquet").join(keys, on="query").sort("session", "time", "search")
    actions = pl.read_parquet(share / "actions.parquet")
    done = actions.group_by("search").agg(
        *((pl.col("action") == name).any().alias(name) for name in (CART, PURCHASE)),
        pl.col("action").is_in(ACTIONS).any().alias("acted"),
        pl.col("amount").filter(pl.col("action") == PURCHASE).sum().alias("revenue"),
    )
    same = pl.col("session") == pl.col("session").shift(-1)
    soon = pl.col("time").shift(-1) - pl.col("time") <= _AGAIN_SECONDS
    shown = pl.col("items").list.len() > 0
    rows = searches.join(done, on="search", how="left", maintain_order="left")
    rows = rows.with_columns(
        pl.col("acted").fill_null(False),
        pl.when(same & soon & (pl.col("key") != pl.col("key").shift(-1))).then(pl.col("key").shift(-1)).alias("next"),
    ).with_columns(pl.when(~pl.col("acted")).then("next").alias("next"))
    counts = rows.group_by("key", maintain_order=True).agg(
        pl.col("query").first(),
        pl.len().cast(pl.Int64).alias("searches"),
        ((pl.col("results") == 0) | (pl.col("results").is_null() & ~shown))
        .sum()
        .cast(pl.Int64)
        .alias("without_results"),
        shown.sum().cast(pl.Int64).alias("with_list"),
        (shown & ~pl.col("acted")).sum().cast(pl.Int64).alias("without_clicks"),
        pl.col("next").is_not_null().sum().cast(pl.Int64).alias("again"),
        pl.col(CART).fill_null(False).sum().cast(pl.Int64).alias("carts"),
        pl.col(PURCHASE).fill_null(False).sum().cast(pl.Int64).alias("purchases"),
        pl.col("revenue").fill_null(0.0).sum().cast(pl.Float64).alias("revenue"),
    )
    moves = rows.filter(pl.col("next").is_not_null()).group_by("key", "next").len()
    return counts, moves


def _table(frame: pl.DataFrame, totals: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "query": row["query"],
            "searches": row["searches"],
            "of_all": _share(row["searches"], totals["searches"]),
            "without_results": _share(row["without_results"], row["searches"]),
            "without_clicks": _share(row["without_clicks"], row["with_list"]),
            "again": _share(row["again"], row["searches"]),
            "then": row["next"] or [],
            "purchases": row["purchases"],
            "revenue": round(row["revenue"], 2),
            "of_revenue": _share(row["revenue"], totals["revenue"]),
        }
        for row in frame.iter_rows(named=True)
    ]


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
