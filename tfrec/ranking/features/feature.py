"""The contract of a group of features: candidates to numbers, in stock TensorFlow ops."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tfrec.ranking.candidates import Candidates
from tfrec.retrieval.prior import standardised
from tfrec.retrieval.rows import read_rows
from tfrec.tensorflow_setup import tf

Tensor = Any


class Feature(tf.Module):  # type: ignore[misc]
    """Numbers about candidates that belong together.

    They are finite, and depend on the candidate's own request only, whatever stands beside it in the batch. All that
    is known of items is a variable of its own, so that a SavedModel carries it.

    Attributes:
        group: name of the group in `ranking.features`.
        names: F names, one for each number.
    """

    group: str
    names: list[str]

    @abstractmethod
    def __call__(self, candidates: Candidates) -> Tensor:
        """float32 [B, K, F]."""


def names_of(features: Iterable[Feature]) -> list[str]:
    """The names of all their numbers, in order."""
    return [name for feature in features for name in feature.names]


class ItemNumbers(Feature):
    """Numbers of the items themselves, standardised over the catalogue.

    Args:
        group: see Feature.
        numbers: name -> one number per item [N]; NaN = unknown, which is as the mean.
    """

    def __init__(self, group: str, numbers: Mapping[str, Any]) -> None:
        super().__init__(name=group)
        self.group, self.names = group, list(numbers)
        table = np.stack([standardised(values) for values in numbers.values()], axis=1)
        self._table = tf.Variable(table, trainable=False, dtype=tf.float32, name=group)

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        return read_rows(self._table, candidates.rows)

    def habits(self, history: Tensor) -> Tensor:
        """Means over the histories' items, float32 [B, F]; 0 without a history.

        Args:
            history: int32 [B, H], -1 where there is none.
        """
        known = tf.cast(history >= 0, tf.float32)[:, :, tf.newaxis]
        numbers = read_rows(self._table, tf.maximum(history, 0))
        return tf.reduce_sum(numbers * known, axis=1) / tf.maximum(tf.reduce_sum(known, axis=1), 1.0)
