"""The strongest links of each item by several kinds of item-item weights, read for few items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tfrec.ranking.candidates import Candidates
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.past import Past, past_of
from tfrec.retrieval.postings import chunk_places, chunked, chunks_of, owners
from tfrec.retrieval.rows import read_rows
from tfrec.tensorflow_setup import tf

Tensor = Any


class Links(NamedTuple):
    """Pairs of a candidate and an item of its request's history that are linked, L of them.

    Attributes:
        places: the candidate, int32 [L], as request * K + place.
        weights: float32 [L, S], of every kind; 0 where a kind does not link them.
        past: the items of all histories.
        speakers: which of them is linked, int32 [L].
    """

    places: Tensor
    weights: Tensor
    past: Past
    speakers: Tensor


class Neighbours(tf.Module):  # type: ignore[misc]
    """For each item scored the items of a history that speak strongest for it, by any of several kinds.

    The items of a history list whom they speak for, and a table says which of these are candidates: far fewer are
    looked up than the candidates have neighbours, and nothing is added up for the rest of the catalogue.

    Args:
        several: S kinds of weights over one catalogue.
        most: M, pairs kept for each item scored: the strongest of each kind by turns.
    """

    def __init__(self, several: Sequence[ItemWeights], most: int) -> None:
        super().__init__(name="neighbours")
        self.size = several[0].size
        scored, spoken = _strongest(several, most)
        order = np.lexsort((scored, spoken))
        scored, spoken = scored[order], spoken[order]
        weights = np.stack([np.asarray(kind.matrix()[spoken, scored]).reshape(-1) for kind in several], axis=1)
        starts, places = chunk_places(np.searchsorted(spoken, np.arange(self.size + 1)))
        items = chunked(scored, places, starts[-1], self.size)  # fillers are no candidate of any request
        self._starts = tf.Variable(starts, trainable=False, dtype=tf.int32, name="starts")
        self._items = tf.Variable(items, trainable=False, dtype=tf.int32, name="items")
        self._weights = tf.Variable(
            chunked(weights, places, starts[-1]).reshape(-1, len(several)),
            trainable=False, dtype=tf.float32, name="weights",
        )  # fmt: skip

    def __call__(self, candidates: Candidates) -> Links:
        """Finds the links; an item that occurs several times in a history counts once, at its latest place."""
        rows, width, batch = candidates.rows, self.size + 1, tf.shape(candidates.rows)[0]
        count = rows.shape[1] or tf.shape(rows)[1]
        past = past_of(candidates.request.history, self.size)
        # The place of each candidate, from 1 on, among all items of all requests. Look-ups fall all over this table,
        # which stays in the processor's cache if it is small.
        kind = tf.uint8 if isinstance(count, int) and count < 256 else tf.int16
        numbers = tf.broadcast_to(tf.cast(tf.range(1, count + 1), kind), tf.shape(rows))
        cells = rows + (tf.range(batch) * width)[:, tf.newaxis]
        table = tf.scatter_nd(tf.reshape(cells, [-1, 1]), tf.reshape(numbers, [-1]), [batch * width])
        chunks, splits = chunks_of(self._starts, past.items)
        owner = owners(splits)
        items = read_rows(self._items, chunks)  # [C, chunk]
        found = tf.gather(table, items + tf.gather(past.requests * width, owner)[:, tf.newaxis])
        found, wide = tf.reshape(found, [-1]), items.shape[1]
        hits = tf.cast(tf.where(found > 0)[:, 0], tf.int32)
        chunk = hits // wide
        speakers = tf.gather(owner, chunk)
        places = tf.gather(past.requests * count - 1, speakers) + tf.cast(tf.gather(found, hits), tf.int32)
        weights = read_rows(self._weights, tf.gather(chunks, chunk) * wide + hits % wide)
        return Links(places, weights, past, speakers)


def _strongest(several: Sequence[ItemWeights], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of an item scored int64 [P] and the item int64 [P] that speaks for it."""
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
    near = np.arange(len(pair)) - starts[column] < most
    return column[near], pair[near] % size
