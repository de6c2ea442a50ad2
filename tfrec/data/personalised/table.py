"""The table of personalised searches: (words, history before them) -> what was taken, split by time."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config, DataConfig
from tfrec.data.clean import normalised_query
from tfrec.data.examples import SCHEMA
from tfrec.data.logs.rows import CLICK
from tfrec.data.personalised.events import events_of, log_actions
from tfrec.data.personalised.weeks import HeldOutWeeks

TASK = "personalised"
# A row for each search and item that was taken in it. `gain` is the worth of the strongest action as a share of the
# highest; weight, group and negatives are of training examples: 0, -1 and empty in other splits.
TABLE: dict[str, Any] = {
    "user_id": pl.String, "visitor": pl.String, "search": pl.Int64, "query": pl.String,
    "history": pl.List(pl.Int64), "item": pl.Int64, "gain": pl.Float32, "weight": pl.Float32, "group": pl.Int64,
    "negatives": pl.List(pl.Int64), "timestamp": pl.Int64, "split": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Personalised:
    """Personalised searches of a shop.

    Attributes:
        table: the columns of TABLE, by shopper and time.
        told: what is in no example -> searches (of the last, examples); for report.json.
    """

    table: pl.DataFrame
    told: dict[str, int]


def personalised_searches(
    config: Config, data: DataConfig, shares: Sequence[Path], rows: pl.DataFrame, interactions: Iterable[pl.DataFrame],
    weeks: HeldOutWeeks, held_out: Collection[str], first_group: int,
) -> Personalised:  # fmt: skip
    """Searches of a log in which a shopper took something, with what the same shopper had done before.

    The history holds what was acted on in the log and what was bought, strictly before the search: each item once, at
    its last time, oldest first. Items that the list showed above the lowest one taken, and that were passed over, were
    looked at: they are the example's negatives (Joachims 2002, "skip above").

    Args:
        config: the whole configuration: what becomes of ids.
        data: section data with its log.
        shares: folders of the joined log.
        rows: item_id and item of the catalogue.
        interactions: parts of the purchases of all splits; nothing where they have no times to compare.
        weeks: which of the log are held out, as `held_out_weeks` gives.
        held_out: normalised queries that are judged or evaluated: they are in test alone.
        first_group: number of the first group; a group is a shopper's searches for the same words.

    Returns:
        the table: searches before the held-out weeks with a history as examples, later ones as dev and test, also those
        without a history.
    """
    assert data.search_log is not None
    searches, actions = log_actions(shares, rows)
    found = _with_histories(searches, events_of(config, searches, actions, interactions), data.history_length)
    found = found.with_columns(weeks.split)
    worth = {CLICK: 1.0, **{str(action): value for action, value in data.search_log.labels.actions.items()}}
    taken = actions.with_columns(pl.col("action").replace_strict(worth, return_dtype=pl.Float32).alias("worth"))
    taken = taken.filter(pl.col("worth") > 0).group_by("search", "item", maintain_order=True).agg(
        pl.col("worth").max(), pl.col("time").min().alias("_acted")
    )  # fmt: skip
    table = found.join(taken, on="search", how="inner", maintain_order="left")
    keys = {query: normalised_query(query) for query in table["query"].unique()}
    table = table.with_columns(pl.col("query").replace_strict(keys, return_dtype=pl.String).alias("_key"))
    train = pl.col("split") == "train"
    judged, bare = pl.col("_key").is_in(list(held_out)), pl.col("history").list.len() == 0
    told: dict[str, int] = {}
    for kind, gone in (
        ("of judged or evaluated queries", judged & (pl.col("split") != "test")),
        ("without a history", bare & train),
        ("with an end in the held-out weeks", train & (pl.col("_acted") >= weeks.dev)),
        ("in weeks that purchases hold out of a log too short to be split", ~train & (not weeks.evaluated)),
    ):
        told[kind] = table.filter(gone)["search"].n_unique()
        table = table.filter(~gone)
    examples = _examples(data, table.filter(train), searches, actions, rows, first_group)
    told["examples beyond data.max_examples_per_user"] = table.filter(train).height - examples.height
    others = table.filter(~train).with_columns(
        pl.lit(0.0, pl.Float32).alias("weight"), pl.lit(-1, pl.Int64).alias("group"),
        pl.lit([], pl.List(pl.Int64)).alias("negatives"),
    )  # fmt: skip
    most = max(worth.values())
    whole = pl.concat([examples, others.select(examples.columns)]).with_columns((pl.col("worth") / most).alias("gain"))
    whole = whole.select(pl.col(name).cast(kind) for name, kind in TABLE.items())
    return Personalised(whole, told)


def training_rows(table: pl.DataFrame) -> pl.DataFrame:
    """The training examples of a table, with the columns of tfrec.data.examples.SCHEMA and timestamp."""
    train = table.filter(pl.col("split") == "train")
    return train.with_columns(pl.lit(TASK).alias("task")).select(*SCHEMA, "timestamp")


def _with_histories(searches: pl.DataFrame, events: pl.DataFrame, length: int) -> pl.DataFrame:
    """The searches by shopper and time, each with the latest items that were known before it."""
    searches = searches.drop("items", "positions").sort("user_id", "time", "search")
    spans = events.with_row_index("_at").group_by("user_id", maintain_order=True).agg(
        pl.col("_at").first(), pl.len().alias("_count")
    )  # fmt: skip
    of = {user: (start, start + count) for user, start, count in spans.iter_rows()}
    items, known = events["item"].to_list(), events["known"].to_list()
    flat, ends = array("q"), array("q", [0])
    shopper, history, at, end = None, {}, 0, 0  # type: ignore[var-annotated]
    for user, time in searches.select("user_id", "time").iter_rows():
        if user != shopper:
            shopper, history, (at, end) = user, {}, of.get(user, (0, 0))
        while at < end and known[at] < time:
            history.pop(items[at], None)
            history[items[at]] = None
            at += 1
        flat.extend(reversed(list(itertools.islice(reversed(history), length))))
        ends.append(len(flat))
    return searches.with_columns(_lists(flat, ends)).rename({"time": "timestamp"}).with_columns(
        pl.col("timestamp").alias("time")
    )  # fmt: skip


def _lists(flat: array[int], ends: array[int]) -> pl.Series:
    import pyarrow as pa

    lists = pa.LargeListArray.from_arrays(np.asarray(ends, np.int64), np.asarray(flat, np.int64))
    return pl.Series("history", pl.from_arrow(lists), dtype=pl.List(pl.Int64))


def _examples(
    data: DataConfig, table: pl.DataFrame, searches: pl.DataFrame, actions: pl.DataFrame, rows: pl.DataFrame,
    first_group: int,
) -> pl.DataFrame:  # fmt: skip
    """The latest examples of each shopper, with weight (1 on average), group and negatives."""
    latest = pl.int_range(pl.len(), 0, -1).over("user_id") <= data.max_examples_per_user
    table = table.filter(latest)
    groups = table.select("user_id", "_key").unique(maintain_order=True).with_row_index("group", first_group)
    table = table.join(groups, on=["user_id", "_key"], how="left", maintain_order="left")
    passed = _passed_over(table, searches, actions, rows).group_by("search", maintain_order=True).agg(
        pl.col("item").head(data.negatives_per_query).alias("negatives")
    )  # fmt: skip
    table = table.join(passed, on="search", how="left", maintain_order="left")
    usual = float(table["worth"].mean() or 1.0)  # type: ignore[arg-type]
    return table.with_columns(
        (pl.col("worth") / usual).cast(pl.Float32).alias("weight"), pl.col("group").cast(pl.Int64),
        pl.col("negatives").fill_null(pl.lit([], pl.List(pl.Int64))),
    )  # fmt: skip


def _passed_over(
    table: pl.DataFrame, searches: pl.DataFrame, actions: pl.DataFrame, rows: pl.DataFrame
) -> pl.DataFrame:
    """search, item: shown above the lowest item that was acted on, and left alone."""
    lists = searches.join(table, on="search", how="semi").select("search", "items", "positions")
    shown = lists.filter(pl.col("items").list.len() > 0).explode("items", "positions").rename({"items": "item_id"})
    shown = shown.join(rows, on="item_id", how="inner", maintain_order="left")
    acted = actions.select("search", "item", pl.lit(True).alias("_acted_on")).unique()
    shown = shown.join(acted, on=["search", "item"], how="left", maintain_order="left")
    shown = shown.with_columns(pl.col("_acted_on").fill_null(False))
    lowest = pl.col("positions").filter(pl.col("_acted_on")).max().over("search")
    shown = shown.filter(~pl.col("_acted_on") & (pl.col("positions") < lowest))
    return shown.select("search", "item").unique(maintain_order=True)
