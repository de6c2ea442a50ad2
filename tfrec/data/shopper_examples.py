"""Training examples of purchases: what a shopper took, after what he had taken before."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.data.ages import DAY, halved
from tfrec.data.by_shopper import written_aside


class ShopperExamples:
    """One example per item that a shopper took, for the first time or with repeats each time, after some history.

    The history of a target is what the shopper took at earlier timestamps, each item once, at its last time, oldest
    first. A shopper with a single basket has no earlier one: there each item is learned from the others of the basket.

    They are made when this object is, and kept aside. Iterating over it gives parts with the columns of
    tfrec.data.examples.SCHEMA, and timestamp Int64 of the target; query empty, weight 1 on average, no negatives.

    Args:
        interactions: parts of whole shoppers with user_id, item, timestamp, split, perhaps weight, sorted by user and
            time.
        work: a folder that is not there yet, for the examples; it is needed for as long as they are.
        history_length: most recent items that are kept.
        most_per_user: latest examples of one shopper that are kept.
        first_group: number of the first shopper's group.
        half_life: days before the newest example after which one weighs half; None weighs all alike.
        repeats: whether what was taken before is an example again; it then stands in the history, too.
    """

    def __init__(
        self,
        interactions: Iterable[pl.DataFrame],
        work: Path,
        history_length: int,
        most_per_user: int,
        first_group: int,
        half_life: float | None = None,
        repeats: bool = False,
    ) -> None:
        self._half_life = half_life
        self._length, self._most, self._repeats = history_length, most_per_user, repeats
        self.height = 0
        self._newest = 0
        self._parts = written_aside(self._made(interactions, first_group), work)
        total = 0.0
        for part in self._parts:
            total += float(self._weights(pl.read_parquet(part, columns=["timestamp", "_worth"])).sum())
        self._mean = total / self.height if self.height else 1.0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for part in self._parts:
            frame = pl.read_parquet(part)
            weights = (self._weights(frame) / self._mean).astype(np.float32)  # 1 on average: tasks keep their balance
            yield frame.select(
                pl.lit("").alias("query"),
                "history",
                "item",
                pl.Series("weight", weights),
                "group",
                pl.lit([], pl.List(pl.Int64)).alias("negatives"),
                pl.lit("recommendation").alias("task"),
                "timestamp",
            )

    def _weights(self, frame: pl.DataFrame) -> np.ndarray:
        days = (self._newest - frame["timestamp"].to_numpy()) / DAY
        return halved(days, self._half_life) * frame["_worth"].to_numpy()

    def _made(self, interactions: Iterable[pl.DataFrame], group: int) -> Iterator[pl.DataFrame]:
        for part in interactions:
            train = part.filter(pl.col("split") == "train")
            found, shoppers = self._of_part(train, group)
            group += shoppers
            self.height += found.height
            self._newest = int(found["timestamp"].to_numpy().max(initial=self._newest))
            yield found

    def _of_part(self, train: pl.DataFrame, first_group: int) -> tuple[pl.DataFrame, int]:
        """history, item, group, timestamp, and _worth, the weight of events and ratings; and how many shoppers."""
        import pyarrow as pa

        # flat arrays: a polars Series of millions of Python lists takes ten times as long and as much memory
        histories, ends, targets, groups, when = array("q"), array("q", [0]), array("q"), array("q"), array("q")
        shoppers = 0
        for _, items, times in shopper_rows(train):
            found = _of_one_shopper(items, times, self._length, self._repeats)[-self._most :]
            for history, target, time in found:
                histories.extend(history)
                ends.append(len(histories))
                targets.append(target)
                groups.append(first_group + shoppers)
                when.append(time)
            shoppers += 1
        worth = np.ones(len(when))
        if "weight" in train.columns:
            worth = _weights_of(train, np.asarray(groups, np.int64) - first_group, np.asarray(targets, np.int64))
        lists = pa.LargeListArray.from_arrays(np.asarray(ends, np.int64), np.asarray(histories, np.int64))
        frame = pl.DataFrame(
            {
                "history": pl.Series("history", pl.from_arrow(lists), dtype=pl.List(pl.Int64)),
                "item": np.asarray(targets, np.int64),
                "group": np.asarray(groups, np.int64),
                "timestamp": np.asarray(when, np.int64),
                "_worth": worth.astype(np.float64),
            },
        )
        return frame, shoppers


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
