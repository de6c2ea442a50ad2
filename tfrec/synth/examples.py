"""Synthetic training examples on disk: shards for training, known positives, and where every example comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.data.shards import write_shards
from tfrec.files import sha256_file

SEARCH, RECOMMENDATION = "synthetic", "simulated"  # their tasks in the shards, beside the shop's own two
TASKS = {"search": SEARCH, "recommendation": RECOMMENDATION}


@dataclass(frozen=True)
class Stream:
    """The examples of one source and task.

    Attributes:
        source: name of the source.
        task: SEARCH or RECOMMENDATION.
        shards: TFRecord shards in the format of the prepared data.
        counts: int64 [N], examples per item.
        size: number of examples.
        histories: whether some of them hold a history.
    """

    source: str
    task: str
    shards: list[Path]
    counts: np.ndarray
    size: int
    histories: bool


@dataclass(frozen=True)
class SyntheticExamples:
    """All made examples.

    Attributes:
        streams: by source, in the configured order.
        groups: int64 [P], group of every known positive pair; they continue the shop's numbering.
        items: int64 [P].
        folder: where samples.parquet, known_positives.parquet and shards/ are.
    """

    streams: list[Stream]
    groups: np.ndarray
    items: np.ndarray
    folder: Path

    @property
    def size(self) -> int:
        """Number of training examples."""
        return sum(stream.size for stream in self.streams)

    def of(self, task: str) -> list[Stream]:
        """The streams of a task (SEARCH or RECOMMENDATION)."""
        return [stream for stream in self.streams if stream.task == task]


def write_examples(samples: pl.DataFrame, known: pl.DataFrame, folder: Path, seed: int) -> dict[str, str]:
    """Writes examples and their provenance.

    Args:
        samples: the columns of tfrec.synth.labelling.label.
        known: group Int64, item Int64: pairs that never are negatives of each other.
        folder: exists.
        seed: of the shuffle.

    Returns:
        file name -> sha256 (hex).
    """
    samples.drop("negatives").write_parquet(folder / "samples.parquet")
    known.write_parquet(folder / "known_positives.parquet")
    for source in samples["source"].unique(maintain_order=True):
        for task, made in TASKS.items():
            rows = samples.filter((pl.col("source") == source) & (pl.col("task") == task))
            if rows.height:
                rows = rows.with_columns(pl.lit(made).alias("task"))
                write_shards([rows], rows.height, folder / "shards" / source / made, seed)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: sha256_file(folder / name) for name in names}


def read_examples(folder: Path, size: int) -> SyntheticExamples:
    """Reads what `write_examples` left.

    Args:
        folder: where it is.
        size: number of items N.
    """
    samples = pl.read_parquet(folder / "samples.parquet", columns=["source", "task", "item", "history"])
    streams = []
    for source in samples["source"].unique(maintain_order=True):
        for task, made in TASKS.items():
            rows = samples.filter((pl.col("source") == source) & (pl.col("task") == task))
            if rows.height:
                shards = sorted((folder / "shards" / source / made).glob("*.tfrecord"))
                counts = np.bincount(rows["item"].to_numpy(), minlength=size).astype(np.int64)
                histories = bool((rows["history"].list.len() > 0).any())
                streams.append(Stream(source, made, shards, counts, rows.height, histories))
    known = pl.read_parquet(folder / "known_positives.parquet")
    return SyntheticExamples(streams, known["group"].to_numpy(), known["item"].to_numpy(), folder)
