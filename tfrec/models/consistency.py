"""How far apart two answers to the same batch are."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import tf

_NEVER = -1e9


def log_answers(queries: Any, candidates: Any, log_temperature: Any, allowed: Any) -> Any:
    """Log-probabilities of the batch's candidates.

    Args:
        queries: unit vectors float32 [B, D].
        candidates: unit vectors float32 [C, D].
        log_temperature: float32 scalar.
        allowed: bool [B, C], false where a candidate does not count.

    Returns:
        float32 [B, C].
    """
    logits = tf.matmul(queries * tf.exp(-log_temperature), candidates, transpose_b=True)
    return tf.nn.log_softmax(tf.where(allowed, logits, _NEVER), axis=1)


def divergence(first: Any, second: Any, weight: Any) -> Any:
    """Mean of both Kullback-Leibler divergences of two views' answers (R-Drop: Liang et al. 2021, arXiv 2106.14448).

    Args:
        first: log-probabilities float32 [B, C].
        second: log-probabilities float32 [B, C].
        weight: float32 [B].

    Returns:
        float32 scalar, the weighted mean over the rows, in nats; 0 when the answers are equal.
    """
    both = tf.reduce_sum((tf.exp(first) - tf.exp(second)) * (first - second), axis=1)
    return 0.5 * weighted_mean(both, weight)


def one_way_divergence(truth: Any, answer: Any, weight: Any) -> Any:
    """Kullback-Leibler divergence of an answer from what is taken as true; shapes as in divergence."""
    return weighted_mean(tf.reduce_sum(tf.exp(truth) * (truth - answer), axis=1), weight)


def weighted_mean(values: Any, weight: Any) -> Any:
    """float32 [B], float32 [B] -> scalar; 0 when there is no weight."""
    return tf.reduce_sum(values * weight) / tf.maximum(tf.reduce_sum(weight), 1e-6)
