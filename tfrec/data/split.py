"""Holding out what is evaluated: searches by query, interactions by time, with a check that nothing leaks."""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl

from tfrec.config.preparation import SplitConfig
from tfrec.data.ages import DAY
from tfrec.errors import DataError

# The labelled queries of a shop with few: the towers learn from none of them, and they choose the rest by folds.
FOLDS = "folds"
EVALUATED = ("dev", "test", FOLDS)  # what nothing may be trained on
EVERY_SPLIT = ("train", *EVALUATED)


def split_searches(frame: pl.DataFrame, config: SplitConfig, seed: int) -> pl.DataFrame:
    """Gives each search a split. Equal queries never straddle.

    A split column of the shop is taken as it is. Else the queries with some relevant item are ranked by a seeded hash;
    the first ones are dev, the last ones test. Adding queries to a shop therefore moves few of the others.

    With fewer than `few_queries` labelled queries beside test, a dev split would be a handful of them: then none is
    held out, and train and dev become "folds" (tfrec.choosing), whatever a split column calls them.

    Args:
        frame: searches with `key` (normalised query) and gain, perhaps split.
        config: the shares.
        seed: of the hash.

    Returns:
        the frame with split ("train", "dev", "test", "folds"), without `key` and without the queries left out.

    Raises:
        DataError: the split column puts one query into two splits.
    """
    useful = frame.filter(pl.col("gain") > 0)["key"].unique(maintain_order=True).to_list()
    if "split" not in frame.columns:
        ranked = _shuffled(useful, seed)
        total = len(ranked)
        dev = _number_held_out(config.dev_share, total, total - 1, config.max_queries)
        test = _number_held_out(config.test_share, total, total - 1 - dev, config.max_queries)
        held_out = {**dict.fromkeys(ranked[:dev], "dev"), **dict.fromkeys(ranked[total - test :], "test")}
        split = pl.col("key").replace_strict(held_out, default="train", return_dtype=pl.String)
        frame = frame.with_columns(split.alias("split"))
    check_query_leaks(frame)
    learned = "train"
    if _labelled(frame, useful) < config.few_queries:
        learned = FOLDS
        few = pl.when(pl.col("split") == "test").then("split").otherwise(pl.lit(FOLDS))
        frame = frame.with_columns(few.alias("split"))
    if config.train_share < 1:
        train = _shuffled(frame.filter(pl.col("split") == learned)["key"].unique().to_list(), seed)
        used = max(1, round(config.train_share * len(train))) if config.train_share > 0 else 0
        left_out = train[used:]
        frame = frame.filter(~pl.col("key").is_in(left_out))
    return frame.drop("key")


def _labelled(frame: pl.DataFrame, useful: list[str]) -> int:
    """Queries with some relevant item that are not for testing."""
    return frame.filter((pl.col("split") != "test") & pl.col("key").is_in(useful))["key"].n_unique()


def _shuffled(keys: list[str], seed: int) -> list[str]:
    """An order by seeded hash: of more keys, it is the same one with more in between."""
    return sorted(keys, key=lambda key: hashlib.sha256(f"{seed}\0{key}".encode()).digest())


def _number_held_out(share: float, total: int, available: int, most: int) -> int:
    """The share of `total`, at least one query when any is asked for, and never the last one: that is for training."""
    return max(0, min(max(1, round(share * total)), most, available)) if share > 0 else 0


def split_interactions(
    frame: pl.LazyFrame, config: SplitConfig, trains: bool = True
) -> tuple[pl.LazyFrame, dict[str, int]]:
    """Gives each interaction a split by its time.

    Args:
        frame: interactions with timestamp; they need not fit into memory.
        config: the days held out.
        trains: whether something has to be left to train on.

    Returns:
        the frame with split; the first timestamps of the dev and the test window, where there is one.

    Raises:
        DataError: nothing is left to train on.
    """
    time = pl.col("timestamp")
    first, last = frame.select(time.min().alias("first"), time.max().alias("last")).collect(engine="streaming").row(0)
    test_from = last - round(config.test_days * DAY) + 1 if config.test_days > 0 else last + 1
    dev_from = test_from - round(config.dev_days * DAY) if config.dev_days > 0 else test_from
    if trains and first >= dev_from:
        days = (last - first) / DAY
        raise DataError(
            f"All interactions lie in the last {days:.1f} days, so none is left to train on: lower data.split.dev_days "
            "or data.split.test_days."
        )
    held_out = pl.when(time >= test_from).then(pl.lit("test")).when(time >= dev_from).then(pl.lit("dev"))
    cuts = {name: start for name, start in (("dev", dev_from), ("test", test_from)) if start <= last}
    if cuts.get("dev") == test_from:
        del cuts["dev"]
    return frame.with_columns(held_out.otherwise(pl.lit("train")).alias("split")), cuts


def check_query_leaks(frame: pl.DataFrame) -> None:
    """No normalised query may be in two splits.

    Args:
        frame: searches with `key`, query and split.

    Raises:
        DataError: one is; it is named.
    """
    leaks = frame.group_by("key", maintain_order=True).agg(pl.col("split").unique().sort(), pl.col("query").first())
    leaks = leaks.filter(pl.col("split").list.len() > 1)
    if leaks.height:
        raise DataError(
            f"{leaks.height} queries are in more than one split, for example {leaks['query'][0]!r} in "
            f"{' and '.join(leaks['split'][0])}: put each query into one, or remove the split column."
        )


def check_leaks(searches: pl.DataFrame | None, interactions: pl.LazyFrame | None) -> dict[str, Any]:
    """Checks the finished splits, always: no query in two splits, nothing in train after the first held-out moment.

    Args:
        searches: with query and split, or None.
        interactions: with timestamp and split, or None; they need not fit into memory.

    Returns:
        what was checked, for report.json.

    Raises:
        DataError: something leaks; an example is named.
    """
    from tfrec.data.clean import normalised_query

    result: dict[str, Any] = {"leaks": 0}
    if searches is not None:
        queries = searches["query"].unique(maintain_order=True)
        keys = pl.DataFrame({"query": queries, "key": [normalised_query(query) for query in queries]})
        check_query_leaks(searches.select("query", "split").unique().join(keys, on="query"))
        result["queries_checked"] = len(queries)
    if interactions is not None:
        time = pl.col("timestamp")
        spans = interactions.group_by("split").agg(time.min().alias("first"), time.max().alias("last"), pl.len())
        found = spans.collect(engine="streaming")
        known = {split: (first, last) for split, first, last, _ in found.iter_rows()}
        for earlier, later in (("train", "dev"), ("train", "test"), ("dev", "test")):
            limit = known[later][0] if later in known else 2**62
            if earlier in known and known[earlier][1] >= limit:
                late = interactions.filter((pl.col("split") == earlier) & (time >= limit)).collect()
                user, item = late["user_id"][0], late["item_id"][0]
                raise DataError(
                    f"{late.height} {earlier} interactions are later than the start of {later}, for example user "
                    f"{user!r}, item {item!r}: repair the split."
                )
        result["interactions_checked"] = int(found["len"].sum())
    return result
