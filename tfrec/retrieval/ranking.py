"""The best k of a catalogue, in TensorFlow ops; excluded items never appear."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any
_WIDTH = 64  # items of a block
_WORTH_BLOCKS = 4096  # items; the op alone is as fast for fewer


def without(scores: Tensor, rows: Tensor) -> Tensor:
    """Excludes items from a ranking.

    Args:
        scores: float32 [B, N].
        rows: int32 [B, H], items to exclude in each row; -1 excludes nothing.

    Returns:
        float32 [B, N] with -inf at the excluded items.
    """
    batch = tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, tf.newaxis], tf.shape(rows))
    places = tf.stack([batch, tf.maximum(rows, 0)], axis=-1)
    return tf.tensor_scatter_nd_min(scores, places, tf.where(rows >= 0, -np.inf, np.float32(np.inf)))


def best_of(scores: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """What `tf.math.top_k` gives, several times as fast where k is small beside the catalogue.

    An item of the best k lies in a block of items that is among the k with the highest maxima: k others would stand
    above all of a block that is not. So the op, which sorts a heap item by item, need look at these blocks only.

    Args:
        scores: float32 [B, N].
        k: int32 scalar, at most N.

    Returns:
        (scores float32 [B, k], rows int32 [B, k]), best first, equal scores by lower row.
    """
    size = tf.shape(scores)[1]

    def plain() -> tuple[Tensor, Tensor]:
        found = tf.math.top_k(scores, k)
        return found.values, found.indices

    def by_blocks() -> tuple[Tensor, Tensor]:
        count = (size + _WIDTH - 1) // _WIDTH
        padded = tf.pad(scores, [[0, 0], [0, count * _WIDTH - size]], constant_values=-np.inf)
        blocks = tf.reshape(padded, [-1, count, _WIDTH])
        best = tf.math.top_k(tf.reduce_max(blocks, axis=2), k).indices
        best = tf.sort(best, axis=1)  # in the order of rows, for equal scores
        candidates = tf.reshape(tf.gather(blocks, best, batch_dims=1), [-1, k * _WIDTH])
        found = tf.math.top_k(candidates, k)
        block = tf.gather(best, found.indices // _WIDTH, batch_dims=1)
        return found.values, block * _WIDTH + found.indices % _WIDTH

    few = (size >= _WORTH_BLOCKS) & (k * _WIDTH * 2 <= size)
    return tf.cond(few, by_blocks, plain)


def positive(k: Tensor) -> Tensor:
    """The same k, int32 scalar, after a check: ops that take it cannot fail before the check does."""
    with tf.control_dependencies([tf.debugging.assert_positive(k, "k must be at least 1")]):
        return tf.identity(k)


def named(values: Tensor, rows: Tensor, item_ids: Tensor) -> dict[str, Tensor]:
    """Ranked rows of the catalogue as the signatures give them.

    Args:
        values: float32 [B, K], -inf in places that nothing fills.
        rows: int32 [B, K], rows of the catalogue; -1 only where nothing fills.
        item_ids: string [N].

    Returns:
        "item_ids" string [B, K] and "scores" float32 [B, K]; "" and -inf in places that nothing fills.
    """
    filled = values > -np.inf
    return {
        "item_ids": tf.where(filled, tf.gather(item_ids, tf.maximum(rows, 0)), ""),
        "scores": tf.where(filled, values, np.float32(-np.inf)),
    }
