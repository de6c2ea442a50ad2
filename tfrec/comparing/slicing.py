"""Slices of an experiment's searches: how often their query is typed, how long it is, whether the visitor is known."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

_BANDS = ("head", "middle", "tail")


def slices(some: pl.DataFrame, log: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Parts of an experiment's searches.

    Frequency has three bands that each hold a third of the log's searches, the most frequent queries first.

    Args:
        some: the experiment's searches.
        log: all searches of the log.

    Yields:
        (kind, label, its searches).
    """
    key = pl.col("query").str.to_lowercase()
    often = log.group_by(key.alias("_key")).len().sort(["len", "_key"], descending=[True, False])
    reached = (pl.col("len").cum_sum() - pl.col("len")) / pl.col("len").sum()
    often = often.select("_key", (reached * 3).floor().clip(0, 2).cast(pl.Int32).alias("_band"))
    words = pl.col("query").str.strip_chars().str.split(" ").list.len()
    start = some["time"].min()
    known = log.filter(pl.col("time") < start)["visitor"].unique()
    marked = some.with_columns(
        key.alias("_key"), words.alias("_words"), pl.col("visitor").is_in(known.implode()).alias("_known")
    ).join(often, on="_key", how="left", maintain_order="left")
    parts = [("frequency", label, pl.col("_band") == band) for band, label in enumerate(_BANDS)]
    parts += [("words", "1", pl.col("_words") == 1), ("words", "2", pl.col("_words") == 2)]
    parts += [("words", "3 and more", pl.col("_words") > 2)]
    parts += [("visitor", "seen before", pl.col("_known")), ("visitor", "new", ~pl.col("_known"))]
    for kind, label, chosen in parts:
        found = marked.filter(chosen)
        if 0 < found.height < some.height:
            yield kind, label, found.select(some.columns)
