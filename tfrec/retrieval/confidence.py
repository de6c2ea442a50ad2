"""How sure an answer is: from an item's score, and those around it, to the probability that it is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import presence
from tfrec.tensorflow_setup import tf

Tensor = Any
PLACES = 20  # of a query's best items; what lies behind is said to be as sure as its score makes it
UNKNOWN = -1.0  # for requests with a history, blank ones, and items that nobody knows


class Confidence:
    """A logistic function of an item's score, what it lacks to the best one and what it has above the twentieth.

    Args:
        weights: float [4], of these three and the constant.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = [float(weight) for weight in weights]

    def __call__(self, request: Request, scores: Tensor, rows: Tensor) -> Tensor:
        """Probabilities float32 [B, K], UNKNOWN where none is known.

        Args:
            request: B requests; only those of words alone have been judged.
            scores: of the catalogue, float32 [B, N].
            rows: the items asked for, int32 [B, K]; -1 for none.
        """
        best = tf.math.top_k(scores, tf.minimum(PLACES, tf.shape(scores)[1])).values
        own = tf.gather(scores, tf.maximum(rows, 0), batch_dims=1)
        numbers = tf.stack(measures(own, best[:, :1], best[:, -1:]), axis=2)
        sure = tf.sigmoid(tf.linalg.matvec(numbers, tf.constant(self.weights[:3])) + self.weights[3])
        has = presence(request)
        return tf.where((rows >= 0) & (has.query & ~has.history)[:, tf.newaxis], sure, np.float32(UNKNOWN))


def measures(own: Any, first: Any, last: Any) -> list[Any]:
    """What probabilities are read from, of scores [Q, K], the best one and the last of the first places [Q, 1]."""
    return [own, first - own, own - last]
