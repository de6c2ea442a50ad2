"""Training examples of searches and of purchases; those of both together: tfrec.data.personalised."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.ages import days_before_newest, halved

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


def recommendation_examples(
    interactions: pl.DataFrame,
    history_length: int,
    most_per_user: int,
    first_group: int,
    half_life: float | None = None,
    repeats: bool = False,
) -> pl.DataFrame:
    """One example per item that a shopper took, for the first time or with repeats each time, after some history.

    The history of a target is what the shopper took at earlier timestamps, each item once, at its last time, oldest
    first. A shopper with a single basket has no earlier one: there each item is learned from the others of the basket.

    Args:
        interactions: with user_id, item, timestamp, split, perhaps weight, sorted by user and time.
        history_length: most recent items that are kept.
        most_per_user: latest examples of one shopper that are kept.
        first_group: number of the first shopper's group.
        repeats: whether what was taken before is an example again; it then stands in the history, too.
        half_life: days before the newest example after which one weighs half; None weighs all alike.

    Returns:
        the columns of SCHEMA, and timestamp Int64 of the target; query empty, weight 1 on average, no negatives.
    """
    train = interactions.filter(pl.col("split") == "train")
    # flat arrays: a polars Series of millions of Python lists takes ten times as long and as much memory
    histories, ends, targets, groups, when = array("q"), array("q", [0]), array("q"), array("q"), array("q")
    for number, (_, items, times) in enumerate(shopper_rows(train)):
        found = _of_one_shopper(items, times, history_length, repeats)[-most_per_user:]
        for history, target, time in found:
            histories.extend(history)
            ends.append(len(histories))
            targets.append(target)
            groups.append(first_group + number)
            when.append(time)
    import pyarrow as pa

    weights = halved(days_before_newest(np.asarray(when, np.int64)), half_life)
    if "weight" in train.columns:
        weights = weights * _weights_of(
            train, np.asarray(groups, np.int64) - first_group, np.asarray(targets, np.int64)
        )
    if len(weights):
        weights /= weights.mean()  # so that tasks keep their balance
    lists = pa.LargeListArray.from_arrays(np.asarray(ends, np.int64), np.asarray(histories, np.int64))
    frame = pl.DataFrame(
        {
            "history": pl.Series("history", pl.from_arrow(lists), dtype=pl.List(pl.Int64)),
            "item": np.asarray(targets, np.int64),
            "group": np.asarray(groups, np.int64),
            "weight": weights.astype(np.float32),
            "timestamp": np.asarray(when, np.int64),
        },
    )
    return frame.select(
        pl.lit("").alias("query"),
        "history",
        "item",
        "weight",
        "group",
        pl.lit([], pl.List(pl.Int64)).alias("negatives"),
        pl.lit("recommendation").alias("task"),
        "timestamp",
    )


def training_examples(
    config: Config, searches: pl.DataFrame | None, interactions: pl.DataFrame | None, repeats: bool
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """All examples of a shop's own tables.

    Args:
        config: sections data and training, and the seed are read.
        searches: with query, item, gain, weight, split, or None.
        interactions: see `recommendation_examples`, or None.
        repeats: see `recommendation_examples`.

    Returns:
        (of searches, the columns of SCHEMA; of shoppers, with timestamp besides; number of the first shopper's group).
    """
    data = config.data
    of_searches = pl.DataFrame(schema=SCHEMA)
    of_shoppers = pl.DataFrame(schema={**SCHEMA, "timestamp": pl.Int64})
    if searches is not None:
        of_searches = search_examples(searches, config.training.min_gain, data.negatives_per_query, config.seed)
    first_group = int(of_searches["group"].max()) + 1 if of_searches.height else 0  # type: ignore[arg-type]
    if interactions is not None:
        of_shoppers = recommendation_examples(
            interactions, data.history_length, data.max_examples_per_user, first_group, data.example_half_life_days,
            repeats,
        )  # fmt: skip
    return of_searches, of_shoppers, first_group


def shoppers_with_groups(interactions: pl.DataFrame | None) -> int:
    """How many groups the shoppers of the training split have, from the first shopper's number on."""
    return 0 if interactions is None else interactions.filter(pl.col("split") == "train")["user_id"].n_unique()


def _weights_of(train: pl.DataFrame, shoppers: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The highest weight of each (shopper, item) among the shopper's rows: who bought it has viewed it, too."""
    users = train.select(pl.col("user_id").unique(maintain_order=True)).with_row_index("_shopper")
    best = train.join(users, on="user_id").group_by("_shopper", "item").agg(pl.col("weight").max())
    asked = pl.DataFrame({"_shopper": shoppers.astype(np.uint32), "item": items})
    return asked.join(best, on=["_shopper", "item"], how="left", maintain_order="left")["weight"].to_numpy()


def shopper_rows(interactions: pl.DataFrame) -> Iterator[tuple[str, list[int], list[int]]]:
    """Each shopper's (user_id, items, timestamps) in order of user and time; the frame must be sorted so."""
    if not interactions.height:
        return
    starts = interactions.with_row_index("_at").group_by("user_id", maintain_order=True).agg(pl.col("_at").first())
    bounds = [*starts["_at"].to_list(), interactions.height]
    items, times = interactions["item"].to_list(), interactions["timestamp"].to_list()
    for user, start, end in zip(starts["user_id"], bounds, bounds[1:], strict=False):
        yield user, items[start:end], times[start:end]


def _of_one_shopper(items: list[int], times: list[int], length: int, repeats: bool) -> list[tuple[list[int], int, int]]:
    """(history, target, time) of every example."""
    if times[0] == times[-1]:
        basket = list(dict.fromkeys(items))
        if len(basket) == 1:
            return []
        return [([other for other in basket if other != item][-length:], item, times[0]) for item in basket]
    found: list[tuple[list[int], int, int]] = []
    history: dict[int, None] = {}
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and times[end] == times[start]:
            end += 1
        basket = list(dict.fromkeys(items[start:end]))
        if history:
            recent = list(history)[-length:]
            found += [(recent, item, times[start]) for item in basket if repeats or item not in history]
        for item in basket:
            history.pop(item, None)
            history[item] = None
        start = end
    return found


def known_positives(searches: pl.DataFrame, interactions: pl.DataFrame | None, first_group: int) -> pl.DataFrame:
    """All train positives of every group, so that none of them is ever used as a negative.

    Args:
        searches: examples with a query (SCHEMA), perhaps empty; their groups are none of the shoppers'.
        interactions: with user_id, item, split, sorted by user; or None.
        first_group: number of the first shopper's group.

    Returns:
        group Int64, item Int64, unique, sorted.
    """
    parts = [searches.select("group", "item")]
    if interactions is not None:
        train = interactions.filter(pl.col("split") == "train")
        users = train.select(pl.col("user_id").unique(maintain_order=True))
        users = users.with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + first_group).alias("group"))
        parts.append(train.join(users, on="user_id").select("group", "item"))
    return pl.concat(parts).unique().sort("group", "item")
