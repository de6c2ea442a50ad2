"""What the fusion's scorers say, and where it puts a candidate among the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfrec.ranking.candidates import Candidates, standard, strength
from tfrec.ranking.features.feature import Feature
from tfrec.tensorflow_setup import tf

Tensor = Any


class Scores(Feature):
    """Of the fused score and of each scorer: deviation from the candidates' mean and logarithm of the score; and the
    logarithm of the place by the fused score.

    Args:
        labels: S labels of the scorers whose opinions come with the candidates.
    """

    group = "scores"

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(name="scores")
        every = ["fused", *labels]
        self.names = [f"{label} {kind}" for kind in ("deviation", "strength") for label in every] + ["fused place"]

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        values = tf.concat([candidates.fused[:, :, tf.newaxis], candidates.opinions], axis=2)
        count = tf.shape(candidates.rows)[1]
        place = -tf.math.log1p(tf.range(tf.cast(count, tf.float32)))[tf.newaxis, :, tf.newaxis]
        place = tf.tile(place, [tf.shape(candidates.rows)[0], 1, 1])
        return tf.concat([standard(values, candidates.filled), strength(values), place], axis=2)
