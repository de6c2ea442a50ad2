"""Training examples as TFRecord shards for tf.data. Only this module of the stage imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.progress import Progress

EXAMPLES_PER_SHARD = 20_000


def write_shards(examples: pl.DataFrame, folder: Path, seed: int) -> list[Path]:
    """Writes shuffled shards of tf.train.Example.

    Features: query bytes[1], history int64[*], item int64[1], weight float[1], group int64[1], negatives int64[*],
    task bytes[1].

    Args:
        examples: the columns of tfrec.data.examples.SCHEMA.
        folder: where train-00000-of-000NN.tfrecord go; created.
        seed: of the shuffle.

    Returns:
        the shards in order; none when there are no examples.
    """
    from tfrec.tensorflow_setup import tf

    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(seed).permutation(examples.height)
    shards = -(-examples.height // EXAMPLES_PER_SHARD)
    paths = [folder / f"train-{number:05d}-of-{shards:05d}.tfrecord" for number in range(shards)]
    with Progress("Writing training examples", examples.height) as progress:
        for number, path in enumerate(paths):
            part = examples[order[number::shards]]
            with tf.io.TFRecordWriter(str(path)) as writer:
                for record in _serialised(part):
                    writer.write(record)
            progress.advance(part.height)
    return paths


def _serialised(examples: pl.DataFrame) -> Iterator[bytes]:
    from tfrec.tensorflow_setup import tf

    columns = ("query", "history", "item", "weight", "group", "negatives", "task")
    for query, history, item, weight, group, negatives, task in examples.select(columns).iter_rows():
        example = tf.train.Example()
        feature = example.features.feature
        feature["query"].bytes_list.value.append(query.encode())
        feature["history"].int64_list.value.extend(history)
        feature["item"].int64_list.value.append(item)
        feature["weight"].float_list.value.append(weight)
        feature["group"].int64_list.value.append(group)
        feature["negatives"].int64_list.value.extend(negatives)
        feature["task"].bytes_list.value.append(task.encode())
        yield example.SerializeToString(deterministic=True)


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
