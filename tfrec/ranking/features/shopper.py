"""What kind of shopper asks: the same for all candidates, for a model that looks at both together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfrec.ranking.candidates import Candidates
from tfrec.ranking.features.feature import Feature, ItemNumbers
from tfrec.tensorflow_setup import tf

Tensor = Any


class ShopperFeature(Feature):
    """Logarithm of the history's length, and means of its items' numbers: how new, how fashionable it is.

    Args:
        numbers: of the items.
    """

    group = "shopper"

    def __init__(self, numbers: Sequence[ItemNumbers]) -> None:
        super().__init__(name="shopper")
        self._numbers = list(numbers)
        self.names = ["length of the history", *(f"{name} of the history" for some in numbers for name in some.names)]

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        history = candidates.request.history
        length = tf.math.log1p(tf.reduce_sum(tf.cast(history >= 0, tf.float32), axis=1, keepdims=True))
        told = tf.concat([length, *(some.habits(history) for some in self._numbers)], axis=1)
        return tf.tile(told[:, tf.newaxis], [1, tf.shape(candidates.rows)[1], 1])
