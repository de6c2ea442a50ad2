"""Training examples of searches and of purchases; those of both together: tfrec.data.personalised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.shopper_examples import ShopperExamples

SCHEMA: dict[str, Any] = {
    "query": pl.String, "history": pl.List(pl.Int64), "item": pl.Int64, "weight": pl.Float32, "group": pl.Int64,
    "negatives": pl.List(pl.Int64), "task": pl.String,
}  # fmt: skip


def search_groups(searches: pl.DataFrame, min_gain: float) -> pl.DataFrame:
    """The group of every train query that has an answer.

    Args:
        searches: with query, gain, split.
        min_gain: judged items with at least this gain are positives; gain 0 never is.

    Returns:
        query String, group Int64, counted from 0.
    """
    positive = (pl.col("split") == "train") & (pl.col("gain") >= min_gain) & (pl.col("gain") > 0)
    queries = searches.filter(positive)["query"].unique(maintain_order=True)
    return pl.DataFrame({"query": queries, "group": pl.Series(range(len(queries)), dtype=pl.Int64)})


def search_examples(searches: pl.DataFrame, min_gain: float, most_negatives: int, seed: int) -> pl.DataFrame:
    """One example per train query and item that answers it.

    Args:
        searches: with query, item, gain, weight, split.
        min_gain: judged items with at least this gain are positives, the others negatives; gain 0 never is a positive.
        most_negatives: judged negatives kept per query, drawn by the seed when there are more.
        seed: of that draw.

    Returns:
        the columns of SCHEMA; weight = gain * weight; history empty; groups count the queries from 0.
    """
    train = searches.filter(pl.col("split") == "train").with_columns(
        ((pl.col("gain") >= min_gain) & (pl.col("gain") > 0)).alias("positive")
    )
    groups = search_groups(searches, min_gain)
    negatives = train.filter(~pl.col("positive")).group_by("query", maintain_order=True).agg(pl.col("item"))
    lists = [
        _draw(query, items, most_negatives, seed)
        for query, items in zip(negatives["query"], negatives["item"].to_list(), strict=True)
    ]
    drawn = pl.DataFrame(
        {"query": negatives["query"], "negatives": pl.Series(lists, dtype=pl.List(pl.Int64))},
    )
    return (
        train.filter("positive")
        .join(groups, on="query", how="left", maintain_order="left")
        .join(drawn, on="query", how="left", maintain_order="left")
        .select(
            "query",
            pl.lit([], pl.List(pl.Int64)).alias("history"),
            "item",
            (pl.col("gain") * pl.col("weight")).cast(pl.Float32).alias("weight"),
            "group",
            pl.col("negatives").fill_null(pl.lit([], pl.List(pl.Int64))),
            pl.lit("search").alias("task"),
        )
        .filter(pl.col("weight") > 0)
    )


def _draw(query: str, items: list[int], most: int, seed: int) -> list[int]:
    if len(items) <= most:
        return items
    own_seed = int.from_bytes(hashlib.sha256(f"{seed}\0{query}".encode()).digest()[:8], "big")
    return [items[at] for at in sorted(np.random.default_rng(own_seed).permutation(len(items))[:most])]


def training_examples(
    config: Config, searches: pl.DataFrame | None, interactions: Iterable[pl.DataFrame], repeats: bool, work: Path
) -> tuple[pl.DataFrame, ShopperExamples, int]:
    """All examples of a shop's own tables.

    Args:
        config: sections data and training, and the seed are read.
        searches: with query, item, gain, weight, split, or None.
        interactions: see ShopperExamples; nothing for a shop without.
        repeats: see ShopperExamples.
        work: see ShopperExamples.

    Returns:
        (of searches, the columns of SCHEMA; of shoppers; number of the first shopper's group).
    """
    data = config.data
    of_searches = pl.DataFrame(schema=SCHEMA)
    if searches is not None:
        of_searches = search_examples(searches, config.training.min_gain, data.negatives_per_query, config.seed)
    first_group = int(of_searches["group"].max()) + 1 if of_searches.height else 0  # type: ignore[arg-type]
    of_shoppers = ShopperExamples(
        interactions, work, data.history_length, data.max_examples_per_user, first_group, data.example_half_life_days,
        repeats,
    )  # fmt: skip
    return of_searches, of_shoppers, first_group


def known_positives(
    searches: pl.DataFrame, interactions: Iterable[pl.DataFrame], first_group: int
) -> Iterator[pl.DataFrame]:
    """All train positives of every group, so that none of them is ever used as a negative.

    Args:
        searches: examples with a query (SCHEMA), perhaps empty; their groups are none of the shoppers'.
        interactions: parts of whole shoppers with user_id, item, split, sorted by user; nothing for a shop without.
        first_group: number of the first shopper's group.

    Yields:
        group Int64, item Int64, unique, sorted, the parts, too.
    """
    pairs = searches.select("group", "item").unique().sort("group", "item")
    yield pairs.filter(pl.col("group") < first_group)
    group = first_group
    for part in interactions:
        train = part.filter(pl.col("split") == "train")
        users = train.select(pl.col("user_id").unique(maintain_order=True))
        users = users.with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + group).alias("group"))
        yield train.join(users, on="user_id").select("group", "item").unique().sort("group", "item")
        group += users.height
    yield pairs.filter(pl.col("group") >= first_group)
