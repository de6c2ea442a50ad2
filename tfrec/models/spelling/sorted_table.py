"""Numbers to a number or to a list of numbers, found by bisection: tables that are arrays and need no building."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any
MISSING = -1


class SortedMap(tf.Module):  # type: ignore[misc]
    """Keys of 64 bits, each with one value.

    A hash table of strings is built anew whenever a model is loaded and takes several times the memory; these arrays
    are read as they are, from variables, which go beside the graph.

    Args:
        keys: int64 [P], in any order; of a repeated key the first counts.
        values: int32 [P], at least 0.
    """

    def __init__(self, keys: np.ndarray, values: np.ndarray) -> None:
        super().__init__(name="sorted_map")
        unique, first = np.unique(keys, return_index=True)
        # one key at least, to gather from
        kept = np.append(values[first], MISSING) if not len(unique) else values[first]
        unique = unique if len(unique) else np.zeros(1, np.int64)
        self._keys = tf.Variable(unique, trainable=False, dtype=tf.int64, name="keys")
        self._values = tf.Variable(kept, trainable=False, dtype=tf.int32, name="values")

    def __call__(self, keys: Tensor) -> Tensor:
        """Values of keys int64 [...], -1 for those that are not there: int32 [...]."""
        known = tf.convert_to_tensor(self._keys)
        place = tf.reshape(tf.searchsorted(known, tf.reshape(keys, [-1])), tf.shape(keys))
        place = tf.minimum(place, tf.size(known) - 1)
        return tf.where(tf.equal(tf.gather(known, place), keys), tf.gather(self._values, place), MISSING)


class SortedLists(tf.Module):  # type: ignore[misc]
    """Keys of 64 bits, each with a list of values.

    Args:
        keys: int64 [P], in any order; a key that comes again has several values.
        values: int32 [P]; a key keeps the order of its values.
        most: values kept for one key, the first ones.
    """

    def __init__(self, keys: np.ndarray, values: np.ndarray, most: int) -> None:
        super().__init__(name="sorted_lists")
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        unique, starts, counts = np.unique(keys, return_index=True, return_counts=True)
        kept = np.arange(len(keys)) - np.repeat(starts, counts) < most
        self._numbers = SortedMap(unique, np.arange(len(unique)))
        ends = np.concatenate([[0, 0], np.cumsum(np.minimum(counts, most))])  # number -1 has nothing
        self._starts = tf.Variable(ends, trainable=False, dtype=tf.int32, name="starts")
        self._values = tf.Variable(values[kept], trainable=False, dtype=tf.int32, name="values")

    def __call__(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """All values of keys int64 [K]: (which key each belongs to int32 [V], values int32 [V]), in the keys' order."""
        number = self._numbers(keys) + 1
        ranges = tf.ragged.range(
            tf.gather(self._starts, number), tf.gather(self._starts, number + 1), row_splits_dtype=tf.int32
        )
        return ranges.value_rowids(), tf.gather(self._values, ranges.flat_values)
