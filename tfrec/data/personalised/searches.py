"""Searches of known shoppers as they are evaluated: words, history, and what was taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True)
class PersonalisedSearch:
    """A search as evaluated.

    Attributes:
        search: its number in the log.
        query: the typed words.
        history: item indices before the search, each once, oldest first; empty for a newcomer.
        truth: item index -> gain of what was taken, above 0; never empty.
    """

    search: int
    query: str
    history: list[int]
    truth: dict[int, float]


def searches_of(table: pl.DataFrame, split: str, seed: int) -> list[PersonalisedSearch]:
    """One search of each shopper in a split, drawn by a seed: searches of one shopper are not independent.

    Args:
        table: the columns of tfrec.data.personalised.table.TABLE.
        split: dev or test.
        seed: of the draw.

    Returns:
        the searches, by shopper.
    """
    rows = table.filter(pl.col("split") == split).group_by("user_id", "search", maintain_order=True).agg(
        pl.col("query").first(), pl.col("history").first(), "item", "gain"
    )  # fmt: skip
    chance = np.random.default_rng(seed).random(rows.height)
    rows = (
        rows.with_columns(pl.Series("_chance", chance, dtype=pl.Float64))
        .sort("_chance")
        .unique("user_id", keep="first")
    )
    rows = rows.sort("user_id").drop("user_id", "_chance")
    return [
        PersonalisedSearch(search, query, history, dict(zip(items, (round(gain, 6) for gain in gains), strict=True)))
        for search, query, history, items, gains in rows.iter_rows()
    ]
