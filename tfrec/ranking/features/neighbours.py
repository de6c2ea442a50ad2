"""The strongest links of each item by several kinds of item-item weights, in one table that is read for few items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tfrec.ranking.candidates import Candidates
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.tensorflow_setup import tf

Tensor = Any


class Links(NamedTuple):
    """Pairs of a candidate and an item of its request's history that are linked, L of them.

    Attributes:
        places: the candidate, int32 [L], as request * K + place.
        later: items of the history after the linked one, int32 [L].
        weights: float32 [L, S], of every kind; 0 where a kind does not link them.
    """

    places: Tensor
    later: Tensor
    weights: Tensor


class Neighbours(tf.Module):  # type: ignore[misc]
    """For each item scored the items of a history that speak strongest for it, by any of several kinds.

    Scorers sum over the whole catalogue; here a request costs K times M look-ups, whatever the catalogue and however
    long the history.

    Args:
        several: S kinds of weights over one catalogue.
        most: M, pairs kept for each item scored: the strongest of each kind by turns.
    """

    def __init__(self, several: Sequence[ItemWeights], most: int) -> None:
        super().__init__(name="neighbours")
        self.size = several[0].size
        items, weights = _strongest(several, most)
        self._kinds, self._most = weights.shape[2], items.shape[1]
        self._items = tf.Variable(items, trainable=False, dtype=tf.int32, name="items")
        self._weights = tf.Variable(weights.reshape(-1, self._kinds), trainable=False, dtype=tf.float32, name="weights")

    def __call__(self, candidates: Candidates) -> Links:
        """Finds the links; an item that occurs several times in a history counts once, at its latest place."""
        rows, history = candidates.rows, candidates.request.history
        known = history >= 0
        starts = (tf.range(tf.shape(rows)[0]) * self.size)[:, tf.newaxis]
        near = tf.gather(tf.convert_to_tensor(self._items), rows)  # [B, K, M]
        # Look-ups fall all over the catalogue: a byte for each item and request stays in the processor's cache.
        past = tf.boolean_mask(history + starts, known)
        taken = tf.zeros([tf.shape(rows)[0] * self.size], tf.bool)
        taken = tf.tensor_scatter_nd_update(taken, past[:, tf.newaxis], tf.ones_like(past, tf.bool))
        found = tf.gather(taken, near + starts[:, :, tf.newaxis])
        hits = tf.cast(tf.where(tf.reshape(found, [-1]))[:, 0], tf.int32)
        places, column = hits // self._most, hits % self._most
        weights = tf.gather(tf.reshape(rows, [-1]), places) * self._most + column
        later = tf.cumsum(tf.cast(known, tf.int32), axis=1, reverse=True, exclusive=True)
        request = places // tf.shape(rows)[1]
        same = tf.equal(tf.gather(history, request), tf.gather(tf.reshape(near, [-1]), hits)[:, tf.newaxis])
        latest = tf.reduce_min(tf.where(same, tf.gather(later, request), tf.int32.max), axis=1)
        return Links(places, latest, tf.gather(tf.convert_to_tensor(self._weights), weights))


def _strongest(several: Sequence[ItemWeights], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Items int32 [N, M], the scored item itself where there are fewer, and weights float32 [N, M, S]."""
    size = several[0].size
    scored, spoken, order = [], [], []
    for weights in several:
        matrix = weights.matrix().tocsc()
        count = np.diff(matrix.indptr)
        column = np.repeat(np.arange(size), count)
        by_strength = np.lexsort((matrix.indices, -np.abs(matrix.data), column))
        rank = np.empty(len(column), np.int64)
        rank[by_strength] = np.arange(len(column)) - np.repeat(matrix.indptr[:-1], count)
        near = rank < most
        scored.append(column[near])
        spoken.append(matrix.indices[near].astype(np.int64))
        order.append(rank[near])
    pair, rank = np.concatenate(scored) * size + np.concatenate(spoken), np.concatenate(order)
    by_pair = np.lexsort((rank, pair))
    pair, first = np.unique(pair[by_pair], return_index=True)
    rank = rank[by_pair][first]
    column = pair // size
    turn = np.lexsort((pair, rank, column))
    pair, column = pair[turn], column[turn]
    starts = np.searchsorted(column, np.arange(size))
    place = np.arange(len(pair)) - starts[column]
    near = place < most
    pair, column, place = pair[near], column[near], place[near]
    width = max(1, int(place.max(initial=0)) + 1)
    items = np.repeat(np.arange(size, dtype=np.int32)[:, np.newaxis], width, axis=1)
    items[column, place] = pair % size
    values = np.zeros([size, width, len(several)], np.float32)
    for kind, weights in enumerate(several):
        values[column, place, kind] = np.asarray(weights.matrix()[pair % size, column]).ravel()
    return items, values
