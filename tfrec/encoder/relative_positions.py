"""How far apart two tokens are, as attention is told by MPNet (Song et al. 2020, arXiv 2004.09297) in T5's buckets."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any
BUCKETS = 32
_FARTHEST = 128  # tokens as far as that and farther share a bucket


@functools.cache
def buckets() -> np.ndarray:
    """int32 [2 x 128 + 1]: the bucket of each distance (key less query), -128 to 128 (Raffel et al. 2020, section 2.1).

    Half of the buckets are for keys behind the query. Of each half, the first half are single distances, the others
    grow with the logarithm, in float32 as the checkpoints were trained.
    """
    distance = np.arange(-_FARTHEST, _FARTHEST + 1)
    half, exact = BUCKETS // 2, BUCKETS // 4
    away = np.abs(distance)
    ratio = np.log(np.maximum(away, 1).astype(np.float32) / np.float32(exact)) / np.float32(math.log(_FARTHEST / exact))
    grown = np.minimum(exact + (ratio * np.float32(half - exact)).astype(np.int64), half - 1)
    return (np.where(distance > 0, half, 0) + np.where(away < exact, away, grown)).astype(np.int32)


def attention_bias(table: Tensor, length: Tensor) -> Tensor:
    """What is added to the scores of attention.

    Args:
        table: [BUCKETS, heads].
        length: int32 scalar, the tokens of a row, T.

    Returns:
        [heads, T, T] (queries, keys) of the table's dtype.
    """
    place = tf.range(length)
    distance = tf.clip_by_value(place[tf.newaxis] - place[:, tf.newaxis], -_FARTHEST, _FARTHEST) + _FARTHEST
    return tf.transpose(tf.gather(table, tf.gather(tf.constant(buckets()), distance)), [2, 0, 1])
