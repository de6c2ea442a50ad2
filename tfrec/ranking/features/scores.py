"""What the scorers say, and where it puts a candidate among the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfrec.ranking.candidates import Candidates, place, standard
from tfrec.ranking.features.feature import Feature
from tfrec.retrieval.scorer import Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any


class Scores(Feature):
    """Of the fused score and of each scorer: deviation from the candidates' mean, place, and logarithm of the score.

    Args:
        labels: S labels of the scorers whose opinions come with the candidates.
        more: scorers over the catalogue that the fusion does not have.
    """

    group = "scores"

    def __init__(self, labels: Sequence[str], more: Sequence[Scorer] = ()) -> None:
        super().__init__(name="scores")
        self._more = list(more)
        every = ["fused", *labels, *(scorer.label for scorer in more)]
        self.names = [f"{label} {kind}" for label in every for kind in ("deviation", "place", "strength")]

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        filled, rows = candidates.filled, candidates.rows
        lists = [candidates.fused, *tf.unstack(candidates.opinions, num=candidates.opinions.shape[2], axis=2)]
        lists += [tf.gather(scorer(candidates.request), rows, batch_dims=1) for scorer in self._more]
        return tf.stack([make(values, filled) for values in lists for make in (standard, place, _strength)], axis=2)


def _strength(values: Tensor, filled: Tensor) -> Tensor:
    """How much a scorer says at all, float32 [B, K]: deviations and places know nothing of a thin history."""
    return tf.where(filled, tf.math.log1p(10.0 * tf.maximum(values, 0.0)), 0.0)
