"""Searches that a field sends while somebody types: g, go, gol, gold. What was meant is the last one."""

from __future__ import annotations

import polars as pl


def without_typing_steps(
    searches: pl.DataFrame, actions: pl.DataFrame, seconds: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Leaves out searches that the session's next one continues, or takes letters back from, before anything was done.

    Args:
        searches: with search, session, time, query.
        actions: with search.
        seconds: how soon the next one must follow; 0 leaves all.

    Returns:
        (the searches that were meant; the steps of typing).
    """
    if not seconds:
        return searches, searches.clear()
    ordered = searches.sort("session", "time", "search")
    query, next_query = pl.col("query").str.to_lowercase(), pl.col("query").str.to_lowercase().shift(-1)
    same = pl.col("session") == pl.col("session").shift(-1)
    soon = pl.col("time").shift(-1) - pl.col("time") <= seconds
    longer = next_query.str.starts_with(query) | query.str.starts_with(next_query)
    step = (same & soon & longer & (next_query != query)).fill_null(False)
    marked = ordered.with_columns((step & ~pl.col("search").is_in(actions["search"].unique().implode())).alias("_step"))
    marked = marked.sort("search")
    return marked.filter(~pl.col("_step")).drop("_step"), marked.filter("_step").drop("_step")
