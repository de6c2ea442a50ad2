"""The best k of a catalogue, in TensorFlow ops; excluded items never appear."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any


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
