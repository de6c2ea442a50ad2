"""Whether a candidate is of the kinds that the shopper took before, and whether it was taken itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.data.shop import ShopData
from tfrec.ranking.candidates import Candidates, standard
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.features.votes import kinds_of
from tfrec.retrieval.rows import read_rows
from tfrec.tensorflow_setup import tf

Tensor = Any
_LATELY = 5.0  # later items after which an item of the history counts half


class Tastes(Feature):
    """Of each column: the share of the history's items that have the candidate's value, and that share's deviation
    from the candidates' mean; whether the candidate is in the history, and how lately: 1 for the latest item, half of
    it five items earlier.

    Args:
        values: column -> number of each item's value int [N], -1 where it has none; may be empty.
        size: N.
    """

    group = "tastes"

    def __init__(self, values: Mapping[str, np.ndarray], size: int) -> None:
        super().__init__(name="tastes")
        kinds = ("taste for its {}", "taste for its {}, deviation")
        self.names = [kind.format(name) for kind in kinds for name in values] + ["taken before", "taken lately"]
        table = np.stack(list(values.values()), axis=1) if values else np.zeros([size, 0])
        self._values = tf.Variable(table, trainable=False, dtype=tf.int32, name="values")

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        history, rows = candidates.request.history, candidates.rows
        known = history >= 0
        later = tf.cumsum(tf.cast(known, tf.float32), axis=1, reverse=True, exclusive=True)
        fade = tf.pow(np.float32(0.5 ** (1.0 / _LATELY)), later) * tf.cast(known, tf.float32)
        total = tf.reduce_sum(tf.cast(known, tf.float32), axis=1)[:, tf.newaxis]
        own = tf.unstack(read_rows(self._values, rows), axis=2)
        past = tf.unstack(read_rows(self._values, tf.maximum(history, 0)), axis=2)
        shares = [_share(mine, theirs, known, total) for mine, theirs in zip(own, past, strict=True)]
        share = tf.stack(shares, axis=2) if shares else tf.zeros([*tf.unstack(tf.shape(rows)), 0])
        itself = tf.equal(rows[:, :, tf.newaxis], history[:, tf.newaxis])
        lately = tf.reduce_max(tf.where(itself, fade[:, tf.newaxis], 0.0), axis=2, keepdims=True)
        taken = tf.cast(lately > 0, tf.float32)
        return tf.concat([share, standard(share, candidates.filled), taken, lately], axis=2)


def tastes_of(shop: ShopData) -> Tastes:
    """The columns that votes are for."""
    return Tastes(kinds_of(shop), shop.size)


def _share(own: Tensor, past: Tensor, known: Tensor, total: Tensor) -> Tensor:
    """Of H items of the history with values int32 [B, H], the share that has the candidates' int32 [B, K]."""
    same = tf.equal(own[:, :, tf.newaxis], past[:, tf.newaxis])
    same &= (own >= 0)[:, :, tf.newaxis] & known[:, tf.newaxis]
    return tf.math.divide_no_nan(tf.reduce_sum(tf.cast(same, tf.float32), axis=2), total)
