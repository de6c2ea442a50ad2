"""Sparse rows over the catalogue, summed per request: what lexical and collaborative scorers have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any
# Pairs that are fetched together. A gather costs as much for eight neighbours as for one; the places that fill a row's
# last chunk weigh 0.
_CHUNK = 8


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
        chunks, places = chunk_places(starts)
        # Variables, because they go beside the graph: a protobuf ends at 2 GB.
        self._starts = tf.Variable(chunks, trainable=False, dtype=tf.int32, name="starts")
        self._items = tf.Variable(chunked(items, places, chunks[-1]), trainable=False, dtype=tf.int32, name="items")
        self._weights = tf.Variable(
            chunked(weights, places, chunks[-1]), trainable=False, dtype=tf.float32, name="weights"
        )

    def total(self, rows: Tensor, requests: Tensor, batch: Tensor, amounts: Tensor | None = None) -> Tensor:
        """Sums rows for each request.

        Args:
            rows: which rows to add, int [S], each 0..K-1; may repeat.
            requests: the request that each belongs to, int [S], in any order.
            batch: B, number of requests, int scalar; B * N must be below 2^31.
            amounts: factor on each row, float32 [S], or None for 1.

        Returns:
            float32 [B, N].
        """
        rows, requests = tf.cast(rows, tf.int32), tf.cast(requests, tf.int32)
        chunks, splits = chunks_of(self._starts, rows)
        weights = tf.gather(self._weights, chunks)  # [C, chunk]
        if amounts is not None:
            weights *= tf.gather(amounts, owners(splits))[:, tf.newaxis]
        steps = tf.concat([requests[:1], requests[1:] - requests[:-1]], axis=0) * self.size
        segments = tf.gather(self._items, chunks) + _spread(steps, splits)[:, tf.newaxis]
        cells = tf.cast(batch, tf.int32) * self.size
        return tf.reshape(tf.math.unsorted_segment_sum(weights, segments, cells), [batch, self.size])


def chunk_places(starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where rows begin, counted in chunks int64 [K + 1], and the place int64 [P] of each pair among whole chunks.

    Args:
        starts: see Postings.
    """
    lengths = np.diff(starts)
    chunks = np.concatenate([[0], np.cumsum(-(-lengths // _CHUNK))])
    return chunks, np.arange(starts[-1]) + np.repeat(chunks[:-1] * _CHUNK - starts[:-1], lengths)


def chunked(values: np.ndarray, places: np.ndarray, chunks: int, filler: int = 0) -> np.ndarray:
    """Values [P, ...] at their places in [chunks, chunk, ...], fillers elsewhere; at least one chunk."""
    filled = np.full([max(1, int(chunks)) * _CHUNK, *values.shape[1:]], filler, values.dtype)
    filled[places] = values
    return filled.reshape(-1, _CHUNK, *values.shape[1:])


def chunks_of(starts: Any, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The chunks int32 [C] of rows int32 [S] one after another, and where among them each row's begin, int32 [S + 1].

    Args:
        starts: a variable int32 [K + 1], see `chunk_places`.
        rows: which rows.
    """
    found = tf.raw_ops.RaggedRange(
        starts=tf.gather(starts, rows), limits=tf.gather(starts, rows + 1), deltas=1, Tsplits=tf.int32
    )
    return found.rt_dense_values, found.rt_nested_splits


def owners(splits: Tensor) -> Tensor:
    """Which of S rows each of C chunks belongs to, int32 [C], of splits int32 [S + 1]."""
    return _spread(tf.ones_like(splits[1:]), splits) - 1


def _spread(steps: Tensor, splits: Tensor) -> Tensor:
    """Running sums of steps int32 [S], each held over its part of splits int32 [S + 1]: int32 [splits[-1]].

    That is what repeat and value_rowids do, without their mask of [S, longest part].
    """
    # A part of length 0 at the end begins beyond the last place, hence one place more.
    return tf.cumsum(tf.scatter_nd(splits[:-1, tf.newaxis], steps, [splits[-1] + 1]))[:-1]
