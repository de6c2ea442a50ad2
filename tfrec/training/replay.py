"""Examples that are chosen for a training: of an update all that is new, and older ones drawn beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.ages import days_before_newest, halved
from tfrec.data.examples import SCHEMA
from tfrec.data.shards import write_shards
from tfrec.files import atomic_directory
from tfrec.training.mixture import OWN_TASKS, made_shares


@dataclass(frozen=True)
class Chosen:
    """The only examples of a training.

    Attributes:
        rows: the columns of tfrec.data.examples.SCHEMA, of an update new ones first.
        new: how many of them are new.
        groups, items: int64 [P], their known positives that are not the shop's own already; groups continue those.
    """

    rows: pl.DataFrame
    new: int
    groups: np.ndarray
    items: np.ndarray

    def counts(self, size: int) -> dict[str, np.ndarray]:
        """Task -> examples per item, int64 [size]."""
        return {
            str(task): np.bincount(part["item"].to_numpy(), minlength=size).astype(np.int64)
            for (task,), part in self.rows.group_by("task")
        }

    def write(self, folder: Path, seed: int) -> list[Path]:
        """Writes the shards, in an order of the seed, unless they are there."""
        if not folder.is_dir():
            with atomic_directory(folder) as aside:
                write_shards([self.rows], self.rows.height, aside, seed)
        return sorted(folder.glob("*.tfrecord"))


@dataclass(frozen=True)
class MadeExamples:
    """Examples that an earlier training had made, over the catalogue as it is now.

    Attributes:
        rows: the columns of SCHEMA and timestamp, null.
        groups, items: int64 [P], their known positives.
    """

    rows: pl.DataFrame
    groups: np.ndarray
    items: np.ndarray


def choose_examples(config: Config, new: pl.DataFrame, old: pl.DataFrame, made: MadeExamples | None) -> Chosen:
    """Draws older examples until they are update.replay of all; a task with few new ones gets more of them.

    Experience replay (Rolnick et al. 2019, arXiv 1811.11682). Tasks share the batches by training.tasks however many
    examples they have, so each is filled up to its part: one without anything new is replayed, not repeated. An example
    is drawn by its age without replacement (Efraimidis and Spirakis 2006), made ones by the share that they had.

    Args:
        config: sections update, training and synthesis, and the seed are read.
        new: with the columns of SCHEMA and timestamp Int64 or null.
        old: likewise.
        made: or None.
    """
    update, rng = config.update, np.random.default_rng(config.seed)
    pools = [old] if made is None else [old, made.rows]
    parts = {task: _share(config, task, [new, *pools]) for task in OWN_TASKS}
    whole = max(config.training.batch_size, new.height / (1.0 - update.replay))
    drawn: list[pl.DataFrame] = []
    for task, part in parts.items():
        if part == 0 or update.replay == 0:
            continue
        own = _of(new, task).height
        wanted = max(
            math.ceil(part / sum(parts.values()) * whole) - own, round(own * update.replay / (1 - update.replay))
        )
        pool = pl.concat([_of(frame, task) for frame in pools])
        weights = _weights(config, [_of(frame, task) for frame in pools])
        at = np.argsort(rng.exponential(size=pool.height) / np.maximum(weights, 1e-12), kind="stable")[:wanted]
        drawn.append(pool[np.sort(at)])
    wanted_tasks = [task for task, part in parts.items() if part]
    fresh = new.filter(pl.col("task").is_in(wanted_tasks))
    rows = pl.concat([fresh, *drawn]).select(list(SCHEMA))
    groups, items = (np.zeros(0, np.int64),) * 2 if made is None else (made.groups, made.items)
    return Chosen(rows, fresh.height, groups, items)


def _share(config: Config, task: str, frames: list[pl.DataFrame]) -> float:
    return getattr(config.training.tasks, task) if any(_of(frame, task).height for frame in frames) else 0.0


def _weights(config: Config, pools: list[pl.DataFrame]) -> np.ndarray:
    """How often each example is drawn beside the others, float64 [R]."""
    times = pools[0]["timestamp"]
    aged = times.null_count() < len(times)
    ages = days_before_newest(times.to_numpy()) if aged else np.zeros(len(times))
    own = halved(ages, config.update.replay_half_life_days)
    if len(pools) == 1 or not pools[1].height:
        return np.concatenate([own, np.zeros(sum(pool.height for pool in pools[1:]))])
    count = pools[1].height
    share = made_shares(config, count, len(own))[1]
    each = share / max(1.0 - share, 1e-6) * own.sum() / count if len(own) else 1.0
    return np.concatenate([own, np.full(count, each)])


def _of(frame: pl.DataFrame, task: str) -> pl.DataFrame:
    return frame.filter(pl.col("task") == task)


def over_another_catalogue(
    samples: pl.DataFrame, known: pl.DataFrame, then: list[str], now: list[str], first_group: int
) -> MadeExamples:
    """Made examples in the numbers of another state of the catalogue; those of products that have left go.

    Args:
        samples: query, history, item, weight, group, task of tfrec.synth.examples.
        known: their known positives, group and item.
        then, now: item ids of both states.
        first_group: the first number that their groups may have.
    """
    rows: Mapping[str, int] = {item_id: row for row, item_id in enumerate(now)}
    moved = np.array([rows.get(item_id, -1) for item_id in then], np.int64)
    histories = [[moved[item] for item in some if moved[item] >= 0] for some in samples["history"].to_list()]
    made = samples.with_columns(
        pl.Series("item", moved[samples["item"].to_numpy()]),
        pl.Series("history", histories, dtype=pl.List(pl.Int64)),
        pl.lit([], pl.List(pl.Int64)).alias("negatives"),
        pl.lit(None, pl.Int64).alias("timestamp"),
    ).filter(pl.col("item") >= 0)
    made = made.filter((pl.col("task") == "search") | (pl.col("history").list.len() > 0))
    pairs = known.with_columns(pl.Series("item", moved[known["item"].to_numpy()])).filter(pl.col("item") >= 0)
    numbers = pl.concat([made["group"], pairs["group"]]).unique().sort()
    new_number = dict(zip(numbers.to_list(), range(first_group, first_group + len(numbers)), strict=True))
    renumbered = pl.col("group").replace_strict(new_number, return_dtype=pl.Int64)
    made, pairs = made.with_columns(renumbered), pairs.with_columns(renumbered)
    ordered = made.select(pl.col(name).cast(kind) for name, kind in {**SCHEMA, "timestamp": pl.Int64}.items())
    return MadeExamples(ordered, pairs["group"].to_numpy(), pairs["item"].to_numpy())
