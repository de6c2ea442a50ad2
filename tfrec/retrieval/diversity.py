"""Maximal marginal relevance: a top list that is not the same thing ten times, in TensorFlow ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.retrieval.ranking import best_of, positive
from tfrec.retrieval.rows import read_rows
from tfrec.tensorflow_setup import tf

Tensor = Any
MOST_PLACES = 100  # places that are diversified; those after them keep the order of their scores
_CANDIDATES_PER_PLACE, _MOST_CANDIDATES = 10, 500


def diverse_top(scores: Tensor, vectors: Tensor, k: Tensor, diversity: Tensor) -> tuple[Tensor, Tensor]:
    """The k best items, where being like an item that is already in the list costs.

    Place by place the item with the largest `(1 - diversity) * relevance - diversity * likeness` is taken from the best
    `10 * k` items (at most 500): relevance is the score stretched to 0..1 over these candidates, likeness the cosine
    with the nearest item taken before (below 0 counts as 0: an opposite is no better than a stranger). Places after
    the 100th keep the order of the scores.

    Args:
        scores: float32 [B, N], -inf where an item is excluded.
        vectors: the items' unit vectors, float32 [N, D].
        k: int32 scalar, at least 1; above N it means N.
        diversity: float32 scalar from 0 (the plain ranking) to 1.

    Returns:
        (scores float32 [B, K], rows of the catalogue int32 [B, K]) with K = min(k, N), in the order of the list;
        scores are the items' own and so need not fall; -inf in places that nothing fills, always at the end.

    Source: Carbonell & Goldstein 1998.
    """
    k = positive(k)
    in_range = tf.logical_and(diversity >= 0.0, diversity <= 1.0)
    tf.debugging.Assert(in_range, ["diversity must lie between 0 and 1, but is", diversity])
    size = tf.shape(scores)[1]
    k = tf.minimum(k, size)

    def diverse() -> tuple[Tensor, Tensor]:
        places = tf.minimum(k, MOST_PLACES)
        head = tf.minimum(size, tf.minimum(_CANDIDATES_PER_PLACE * places, _MOST_CANDIDATES))
        found = tf.math.top_k(scores, tf.maximum(k, head))
        near = read_rows(vectors, found.indices[:, :head])
        order = _order(found.values[:, :head], near, places, diversity)
        rest = tf.range(head, tf.shape(found.values)[1])[tf.newaxis]
        order = tf.concat([order, tf.tile(rest, [tf.shape(order)[0], 1])], axis=1)[:, :k]
        return tf.gather(found.values, order, batch_dims=1), tf.gather(found.indices, order, batch_dims=1)

    return tf.cond(diversity > 0.0, diverse, lambda: best_of(scores, k))


def _order(values: Tensor, vectors: Tensor, places: Tensor, diversity: Tensor) -> Tensor:
    """Order in which candidates are taken, int32 [B, P]; after `places` of them, by score."""
    filled = values > -np.inf
    lowest = tf.reduce_min(tf.where(filled, values, np.inf), axis=1, keepdims=True)
    spread = tf.maximum(values[:, :1] - lowest, 1e-9)
    # Excluded candidates come after every other one, and before those that are taken already.
    relevance = tf.where(filled, (1.0 - diversity) * (values - lowest) / spread, -10.0)
    pool = tf.shape(values)[1]
    columns = tf.range(pool)[tf.newaxis]

    def take(place: Tensor, taken_at: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gain = tf.where(taken_at < pool, -np.inf, relevance - diversity * nearest)
        choice = tf.argmax(gain, axis=1, output_type=tf.int32)
        taken_at = tf.where(columns == choice[:, tf.newaxis], place, taken_at)
        likeness = tf.einsum("bpd,bd->bp", vectors, tf.gather(vectors, choice, batch_dims=1))
        return place + 1, taken_at, tf.maximum(nearest, likeness)

    start = tf.constant(0), tf.fill(tf.shape(values), pool), tf.zeros(tf.shape(values))
    _, taken_at, _ = tf.while_loop(lambda place, *_: place < places, take, start)
    return tf.argsort(taken_at * pool + columns, axis=1)
