"""The best items of the fused score: what a ranker looks at."""

from __future__ import annotations

from typing import Any, NamedTuple

from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

Tensor = Any
_LEAST = 1e-6


class Candidates(NamedTuple):
    """K items for each of B requests, best fused score first.

    Attributes:
        request: the requests.
        rows: rows of the catalogue int32 [B, K], each once.
        filled: whether a place holds a candidate, bool [B, K]; empty places are at the end.
        fused: fused scores float32 [B, K]; 0 in empty places.
        opinions: normalised scores of single scorers float32 [B, K, S]; 0 in empty places.
    """

    request: Request
    rows: Tensor
    filled: Tensor
    fused: Tensor
    opinions: Tensor


def spread_of(values: Tensor, filled: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation float32 [B, 1, ...] of values float32 [B, K, ...] over the filled places [B, K]."""
    weights = tf.cast(filled, tf.float32)
    for _ in range(values.shape.rank - 2):
        weights = weights[..., tf.newaxis]
    count = tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1.0)
    mean = tf.reduce_sum(values * weights, axis=1, keepdims=True) / count
    variance = tf.reduce_sum(tf.square(values - mean) * weights, axis=1, keepdims=True) / count
    return mean, tf.sqrt(variance) + _LEAST


def standard(values: Tensor, filled: Tensor) -> Tensor:
    """Deviations from the candidates' mean in their standard deviations, float32 [B, K, ...]."""
    mean, deviation = spread_of(values, filled)
    return (values - mean) / deviation


def strength(values: Tensor) -> Tensor:
    """How much is said at all: deviations know nothing of a thin history."""
    return tf.math.log1p(10.0 * tf.maximum(values, 0.0))
