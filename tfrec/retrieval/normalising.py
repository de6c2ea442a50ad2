"""Scores of different scorers brought to one scale, over the whole catalogue.

Each takes scores float32 [B, N], and what is known of the whole catalogue's scores where these are of a part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tfrec.tensorflow_setup import tf

Tensor = Any
_RANK_OFFSET, _DEEPEST_RANK = 60.0, 1000
PEAK = 8.0  # 6 to 10 do as well on three shops


class Whole(NamedTuple):
    """Of the scores of a whole catalogue, float32 [B, 1] each."""

    mean: Tensor
    deviation: Tensor
    low: Tensor
    high: Tensor


def standard(scores: Tensor, whole: Whole | None = None) -> Tensor:
    """z-scores over the catalogue, float32 [B, N]; a row without any difference becomes 0."""
    mean = tf.reduce_mean(scores, axis=1, keepdims=True) if whole is None else whole.mean
    deviation = tf.math.reduce_std(scores, axis=1, keepdims=True) if whole is None else whole.deviation
    return (scores - mean) / (deviation + 1e-6)


def peak(scores: Tensor, whole: Whole | None = None) -> Tensor:
    """Scores from 0 on as shares of the request's best, times 8, float32 [B, N]; a row without any stays 0.

    For scorers that say nothing of most items: the deviation over all of them, nearly all 0, says more of how rare the
    typed words are than of how well the best item fits, and its z-score is 8 to 30. The best of a dense scorer has a
    z-score of 5 to 7.
    """
    return PEAK * scores / (_highest(scores, whole) + 1e-9)


def min_max(scores: Tensor, whole: Whole | None = None) -> Tensor:
    """Scores stretched to 0..1 over the catalogue, float32 [B, N]; a row without any difference becomes 0."""
    low = tf.reduce_min(scores, axis=1, keepdims=True) if whole is None else whole.low
    return (scores - low) / (_highest(scores, whole) - low + 1e-9)


def reciprocal_rank(scores: Tensor, whole: Whole | None = None) -> Tensor:
    """61 / (60 + rank) with rank 1 for the best, float32 [B, N]; equal scores share a rank.

    Items after the thousandth get 0, and so does a row without any difference.

    Raises:
        ValueError: the scores are of a part of the catalogue, which does not know its items' ranks.

    Source: Cormack et al. 2009 (reciprocal rank fusion).
    """
    if whole is not None:
        raise ValueError("ranks over the whole catalogue cannot be told from a part of it")
    best = tf.math.top_k(scores, tf.minimum(tf.shape(scores)[1], _DEEPEST_RANK)).values
    above = tf.shape(best)[1] - tf.searchsorted(best[:, ::-1], scores, side="right")
    counts = (scores >= best[:, -1:]) & (best[:, :1] > tf.reduce_min(scores, axis=1, keepdims=True))
    return tf.where(counts, (_RANK_OFFSET + 1) / (_RANK_OFFSET + 1 + tf.cast(above, tf.float32)), 0.0)


def _highest(scores: Tensor, whole: Whole | None) -> Tensor:
    return tf.reduce_max(scores, axis=1, keepdims=True) if whole is None else whole.high


NORMALISATIONS: dict[str, Callable[..., Tensor]] = {
    "peak": peak,
    "z-score": standard,
    "min-max": min_max,
    "rank": reciprocal_rank,
}


def normalisation_of(name: str, sparse: bool) -> Callable[..., Tensor]:
    """How one scorer is normalised.

    Args:
        name: in NORMALISATIONS, or "auto": peak for a scorer that is silent on most items, z-score for others.
        sparse: whether the scorer is silent on most items.

    Raises:
        ValueError: there is no such name.
    """
    if name == "auto":
        return peak if sparse else standard
    if name not in NORMALISATIONS:
        raise ValueError(f"normalisation must be auto or one of {', '.join(NORMALISATIONS)}, not {name!r}")
    return NORMALISATIONS[name]
