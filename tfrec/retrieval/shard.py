"""Fused scores of a part of the catalogue, equal to those of the whole.

Fusion normalises every scorer over the whole catalogue, of which a shard holds a part. So a request goes round twice,
as in a search engine's "distributed frequencies, then fetch": each shard tells the statistics of its scores, their
merge says what they are over the whole, and with these every shard scores its items as one server would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfrec.errors import ConfigError
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.normalising import Whole, normalisation_of
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.retrieval.weights import SITUATIONS
from tfrec.tensorflow_setup import tf

Tensor = Any
# What a shard tells of a scorer's scores for a request: their mean, the sum of squared distances from it, the least and
# the largest. The number of scores is the shard's number of items.
STATISTICS = ("mean", "squares", "low", "high")
WHOLE = Whole._fields


class ShardScorer(tf.Module):  # type: ignore[misc]
    """What ranks a part of a catalogue.

    Args:
        scorer: of the whole: the dense one alone, or several fused.
        first, end: the part, first <= row < end.

    Raises:
        ConfigError: the scorers cannot be parted, or what they give depends on more than these statistics.
    """

    def __init__(self, scorer: DenseScorer | Fusion, first: int, end: int) -> None:
        super().__init__(name="shard")
        self.labels = [scorer.label]
        if not isinstance(scorer, Fusion):
            self.scorers: list[Scorer] = [scorer.part(first, end)]
            self._numbers = [0]
            self._weights: Any = None
            return
        scorer = scorer.for_parts()
        if scorer.normalisation == "rank":
            raise ConfigError(
                "An item's rank over the whole catalogue is known to no shard: export shards with --set "
                "retrieval.fusion.normalisation=auto, or the catalogue whole."
            )
        self.labels = scorer.labels
        used = np.flatnonzero(scorer.weights.used(range(len(SITUATIONS)))).tolist()
        # In the order that Fusion sums them.
        self._numbers = sorted(used, key=lambda number: scorer.scorers[number].constant)
        self.scorers = [scorer.scorers[number].part(first, end) for number in self._numbers]
        self._normalise = [normalisation_of(scorer.normalisation, one.sparse) for one in self.scorers]
        self._weights = scorer.weights

    @property
    def normalised(self) -> int:
        """S, scorers whose statistics are needed; 0 where one scorer ranks as it is."""
        return 0 if self._weights is None else len(self.scorers)

    def statistics(self, request: Request) -> Tensor:
        """What the part's scores are, float32 [B, S, 4], in the order of STATISTICS."""
        batch = tf.shape(request.query)[0]
        told = []
        for scorer in self.scorers[: self.normalised]:
            scores = scorer(_first_of(request) if scorer.constant else request)
            mean = tf.reduce_mean(scores, axis=1, keepdims=True)
            squares = tf.reduce_sum(tf.square(scores - mean), axis=1)
            if (known := scorer.whole(request)) is not None:
                mean = known.mean
                squares = tf.square(known.deviation[:, 0]) * tf.cast(tf.shape(scores)[1], tf.float32)
            row = tf.stack([mean[:, 0], squares, tf.reduce_min(scores, axis=1), tf.reduce_max(scores, axis=1)], axis=1)
            told.append(tf.broadcast_to(row, [batch, len(STATISTICS)]))
        return tf.stack(told, axis=1) if told else tf.zeros([batch, 0, len(STATISTICS)])

    def __call__(self, request: Request, whole: Tensor) -> Tensor:
        """Scores float32 [B, n] of the part.

        Args:
            request: histories are rows of the whole catalogue.
            whole: statistics over the whole catalogue, float32 [B, S, 4], in the order of WHOLE.
        """
        total = None
        for _, added in self._parts(request, whole):
            total = added if total is None else total + added
        return total

    def explained(self, request: Request, whole: Tensor, rows: Tensor) -> Tensor:
        """What each of `labels` adds to the scores of given items, float32 [B, K, S]; their sum over S is the score.

        Args:
            request, whole: see __call__.
            rows: of the part, int32 [B, K], counted from its first; -1 gives zeros.
        """
        found = {
            number: tf.gather(added, tf.maximum(rows, 0), batch_dims=1) for number, added in self._parts(request, whole)
        }
        known = tf.cast(rows >= 0, tf.float32)
        silent = tf.zeros_like(known)
        return tf.stack([found.get(number, silent) * known for number in range(len(self.labels))], axis=2)

    def _parts(self, request: Request, whole: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Number of each scorer that is used, and what it adds to the scores, float32 [B, n]."""
        if self._weights is None:
            yield 0, self.scorers[0](request)
            return
        weights = self._weights(request)
        for place, (number, scorer) in enumerate(zip(self._numbers, self.scorers, strict=True)):
            scores = scorer(_first_of(request) if scorer.constant else request)
            part = self._normalise[place](scores, Whole(*tf.split(whole[:, place], len(WHOLE), axis=1)))
            yield number, weights[:, number : number + 1] * part


def _first_of(request: Request) -> Request:
    return Request(*(values[:1] for values in request))
