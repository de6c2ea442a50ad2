"""Collaborative scorer: what the items of the history say about every other item."""

from __future__ import annotations

from typing import Any

from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.past import past_of
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
        past = past_of(request.history, self._rows)
        amounts = tf.pow(self._decay, past.later)
        return self._postings.total(past.items, past.requests, tf.shape(request.history)[0], amounts)
