"""Sparse rows over the catalogue, summed per request: what lexical and collaborative scorers have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any


class Postings(tf.Module):  # type: ignore[misc]
    """Rows of (item, weight) pairs.

    Args:
        starts: int64 [K + 1]; row r's pairs are at starts[r] .. starts[r + 1].
        items: int32 [P], item indices 0..N-1.
        weights: float32 [P], finite.
        size: N, number of items.
    """

    def __init__(self, starts: np.ndarray, items: np.ndarray, weights: np.ndarray, size: int) -> None:
        super().__init__(name="postings")
        self.size = size
        # One pair more: without any there would be nothing to gather from. Variables, because they go beside the graph.
        self._starts = tf.Variable(starts, trainable=False, dtype=tf.int64, name="starts")
        self._items = tf.Variable(np.append(items, 0), trainable=False, dtype=tf.int32, name="items")
        self._weights = tf.Variable(np.append(weights, 0), trainable=False, dtype=tf.float32, name="weights")

    def total(self, rows: Tensor, requests: Tensor, batch: Tensor, amounts: Tensor | None = None) -> Tensor:
        """Sums rows for each request.

        Args:
            rows: which rows to add, int64 [S], each 0..K-1; may repeat.
            requests: the request that each belongs to, int64 [S].
            batch: B, number of requests, int64 scalar.
            amounts: factor on each row, float32 [S], or None for 1.

        Returns:
            float32 [B, N].
        """
        places = tf.ragged.range(tf.gather(self._starts, rows), tf.gather(self._starts, rows + 1))
        owner = places.value_rowids()
        weights = tf.gather(self._weights, places.flat_values)
        if amounts is not None:
            weights *= tf.gather(amounts, owner)
        segments = tf.gather(requests, owner) * self.size
        segments += tf.cast(tf.gather(self._items, places.flat_values), tf.int64)
        return tf.reshape(tf.math.unsorted_segment_sum(weights, segments, batch * self.size), [batch, self.size])
