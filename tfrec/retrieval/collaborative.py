"""Collaborative scorer: what the items of the history say about every other item."""

from __future__ import annotations

from typing import Any

from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.postings import Postings
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any


class CollaborativeScorer(Scorer):
    """Sums the item-item weights of the history, later items counting more if wanted.

    An item that occurs several times counts once, at its latest place, as in the data that the weights were fitted on.
    Padding changes nothing, on whatever side it is. Without history all scores are 0.

    Args:
        weights: from `tfrec.retrieval.item_weights`.
        half_life: after that many later items an item counts half; None counts all alike.
    """

    def __init__(self, weights: ItemWeights, half_life: float | None = None) -> None:
        super().__init__(name="collaborative")
        self.label = "collaborative"
        self.size, self.weights, self._rows = weights.size, weights, len(weights.starts) - 1
        self._half_life = half_life
        self._decay = 1.0 if half_life is None else 0.5 ** (1.0 / half_life)
        self._postings = Postings(weights.starts, weights.items, weights.weights, weights.size)

    def part(self, first: int, end: int) -> CollaborativeScorer:
        """See Scorer."""
        return CollaborativeScorer(self.weights.part(first, end), self._half_life)

    def __call__(self, request: Request) -> Tensor:
        """Weighted sums float32 [B, N] over request.history."""
        history = tf.cast(request.history, tf.int64)
        known = history >= 0
        shape = tf.shape(history, tf.int64)
        batch = shape[0]
        requests = tf.broadcast_to(tf.range(batch)[:, tf.newaxis], shape)
        age = tf.cumsum(tf.cast(known, tf.float32), axis=1, reverse=True, exclusive=True)
        pairs, place = tf.unique(tf.boolean_mask(requests * self._rows + history, known), tf.int64)
        amounts = tf.boolean_mask(tf.pow(self._decay, age), known)
        amounts = tf.math.unsorted_segment_max(amounts, place, tf.size(pairs, tf.int64))
        return self._postings.total(pairs % self._rows, pairs // self._rows, batch, amounts)
