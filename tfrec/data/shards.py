"""Training examples as TFRecord shards for tf.data. Only this module of the stage imports TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.data.example_bytes import serialised
from tfrec.progress import Progress

EXAMPLES_PER_SHARD = 20_000
_SHARDS_AT_ONCE = 25
_SHARD, _PLACE = "_shard", "_place"


def write_shards(examples: Iterable[pl.DataFrame], count: int, folder: Path, seed: int) -> list[Path]:
    """Writes shuffled shards of tf.train.Example, in bounded memory but for 8 bytes an example.

    Features: query bytes[1], history int64[*], item int64[1], weight float[1], group int64[1], negatives int64[*],
    task bytes[1].

    Args:
        examples: parts with the columns of tfrec.data.examples.SCHEMA.
        count: how many they are together.
        folder: where train-00000-of-000NN.tfrecord go; created.
        seed: of the shuffle.

    Returns:
        the shards in order; none when there are no examples.
    """
    from tfrec.tensorflow_setup import tf

    folder.mkdir(parents=True, exist_ok=True)
    shards = -(-count // EXAMPLES_PER_SHARD)
    paths = [folder / f"train-{number:05d}-of-{shards:05d}.tfrecord" for number in range(shards)]
    with Progress("Writing training examples", count) as progress, tempfile.TemporaryDirectory(dir=folder) as aside:
        for first, dealt in enumerate(_dealt(examples, count, shards, seed, Path(aside))):
            rows = pl.read_parquet(dealt).sort(_SHARD, _PLACE)
            for number, path in enumerate(paths[first * _SHARDS_AT_ONCE :][:_SHARDS_AT_ONCE], first * _SHARDS_AT_ONCE):
                part = rows.filter(pl.col(_SHARD) == number)
                with tf.io.TFRecordWriter(str(path)) as writer:
                    for record in serialised(part):
                        writer.write(record)
                progress.advance(part.height)
    return paths


def _dealt(examples: Iterable[pl.DataFrame], count: int, shards: int, seed: int, folder: Path) -> list[Path]:
    """The examples with their shard and their place in it, those of neighbouring shards in a Parquet file together."""
    import pyarrow.parquet as pq

    order = np.random.default_rng(seed).permutation(np.arange(count, dtype=np.uint32))
    place = np.empty_like(order)
    place[order] = np.arange(count, dtype=np.uint32)
    del order
    files = [folder / f"{number:05d}.parquet" for number in range(-(-shards // _SHARDS_AT_ONCE))]
    done = 0
    with ExitStack() as stack:
        writers: list[Any] = []
        for part in examples:
            places = pl.Series(_PLACE, place[done : done + part.height])
            done += part.height
            rows = part.with_columns((places % max(1, shards)).alias(_SHARD), places // max(1, shards))
            for (number,), some in rows.group_by(pl.col(_SHARD) // _SHARDS_AT_ONCE):
                table = some.to_arrow()
                while not writers:
                    writers += [stack.enter_context(pq.ParquetWriter(file, table.schema)) for file in files]
                writers[int(number)].write_table(table)  # type: ignore[call-overload]
    return files


def feature_spec() -> dict[str, Any]:
    """How tf.io.parse_example reads a shard; history and negatives come as ragged int64."""
    from tfrec.tensorflow_setup import tf

    return {
        "query": tf.io.FixedLenFeature([], tf.string),
        "history": tf.io.RaggedFeature(tf.int64),
        "item": tf.io.FixedLenFeature([], tf.int64),
        "weight": tf.io.FixedLenFeature([], tf.float32),
        "group": tf.io.FixedLenFeature([], tf.int64),
        "negatives": tf.io.RaggedFeature(tf.int64),
        "task": tf.io.FixedLenFeature([], tf.string),
    }
