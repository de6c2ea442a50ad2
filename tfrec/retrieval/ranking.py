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
    lowered = tf.where(rows >= 0, np.float32(-np.inf), 0.0)
    # Of all scatters the only one that changes the matrix where it stands, if nothing else reads it.
    return tf.raw_ops.ScatterNdNonAliasingAdd(input=scores, indices=places, updates=lowered)


def best_of(scores: Tensor, k: Tensor, excluded: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What `tf.math.top_k` gives `without` some items, several times as fast where k is small beside the catalogue.

    An item of the best k lies in a block of items that is among the k with the highest maxima: k others would stand
    above all of a block that is not. So the op, which sorts a heap item by item, need look at these blocks only, and in
    them at what is no lower than the lowest of their maxima.

    Args:
        scores: float32 [B, N].
        k: int32 scalar, at most N.
        excluded: int32 [B, H] as for `without`, or None.

    Returns:
        (scores float32 [B, k], rows int32 [B, k]), best first, equal scores by lower row.
    """
    size = scores.shape[1] or tf.shape(scores)[1]

    def plain() -> tuple[Tensor, Tensor]:
        found = tf.math.top_k(scores if excluded is None else without(scores, excluded), k)
        return found.values, found.indices

    def by_blocks() -> tuple[Tensor, Tensor]:
        count = (size + _WIDTH - 1) // _WIDTH
        padded = tf.pad(scores, [[0, 0], [0, count * _WIDTH - size]], constant_values=-np.inf)
        if excluded is not None:
            padded = without(padded, excluded)
        blocks = tf.reshape(padded, [-1, count, _WIDTH])
        highest = tf.reduce_max(blocks, axis=2)
        least = tf.raw_ops.NthElement(input=highest, n=k - 1, reverse=True)[:, tf.newaxis]
        best = _highest(highest, least, k)
        inside = tf.reshape(tf.gather(blocks, best, batch_dims=1), [-1, k * _WIDTH])
        found, place = _of_few(inside, least, k)
        block = tf.gather(best, place // _WIDTH, batch_dims=1)
        return found, block * _WIDTH + place % _WIDTH

    few = (size >= _WORTH_BLOCKS) & (k * _WIDTH * 2 <= size)
    return tf.cond(few, by_blocks, plain) if tf.is_tensor(few) else by_blocks() if few else plain()


def _highest(values: Tensor, least: Tensor, k: Tensor) -> Tensor:
    """Columns int32 [B, k], rising, of the k highest values float32 [B, C] whose lowest are `least` [B, 1]."""
    high = tf.cast(tf.where(values >= least)[:, 1], tf.int32)
    batch = tf.shape(values)[0]
    # Without equal values at the border that is all; an op that orders them costs several times as much.
    exact = tf.equal(tf.size(high), batch * k)
    return tf.cond(
        exact, lambda: tf.reshape(high, [batch, k]), lambda: tf.sort(tf.math.top_k(values, k).indices, axis=1)
    )


def _of_few(values: Tensor, least: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """The k best of values float32 [B, C], of which at least k are no lower than `least` [B, 1], and their columns
    int32 [B, k]. Few are higher by much, and only these are ordered."""
    high = values >= least
    flat = tf.cast(tf.where(tf.reshape(high, [-1]))[:, 0], tf.int32)
    counts = tf.reduce_sum(tf.cast(high, tf.int32), axis=1, keepdims=True)
    place = tf.range(tf.maximum(tf.reduce_max(counts), k))[tf.newaxis]  # k: also of no requests
    flat = tf.gather(flat, tf.minimum(tf.cumsum(counts, exclusive=True) + place, tf.size(flat) - 1))
    some = tf.where(place < counts, tf.gather(tf.reshape(values, [-1]), flat), np.float32(-np.inf))
    found = tf.math.top_k(some, k)
    return found.values, tf.gather(flat, found.indices, batch_dims=1) % tf.shape(values)[1]


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
