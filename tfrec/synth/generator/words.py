"""Which pieces may come next so that only words come out that the item's text or a training query has."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.synth.generator.pieces import FIRST
from tfrec.tensorflow_setup import tf

Tensor = Any


class WordRules:
    """Rules on the next piece: a continuation must continue its piece somewhere, and only finished words end.

    Args:
        continues: bool [L], which pieces are continuations.
        vocabulary: int32 [G], numbers of the pieces that may be written without copying.
        queries: int32 [P, T], the training queries' pieces.
    """

    def __init__(self, continues: np.ndarray, vocabulary: np.ndarray, queries: np.ndarray) -> None:
        self._continues = np.asarray(continues, bool)
        self._vocabulary, self._base = np.asarray(vocabulary, np.int64), len(self._continues)
        before, after = queries[:, :-1].ravel().astype(np.int64), queries[:, 1:].ravel().astype(np.int64)
        joined = (before >= FIRST) & self._continues[after]
        # -1 is no pair: the table is never empty
        self._joined = np.unique(np.append((before * self._base + after)[joined], -1))
        self._ends = np.zeros(self._base, bool)
        self._ends[before[~self._continues[after]]] = True

    def allowed(self, last: Tensor, pieces: Tensor, follows: Tensor) -> Tensor:
        """The rules after a piece.

        Args:
            last: int32 [B, 1], the piece just written.
            pieces: int32 [B, S] of the text.
            follows: bool [B, G + S], candidates that follow the piece somewhere in the text.

        Returns:
            bool [B, G + S].
        """
        continues = tf.constant(self._continues)
        vocabulary = tf.constant(self._vocabulary)
        pairs = tf.cast(last, tf.int64) * self._base + vocabulary
        table = tf.constant(self._joined)
        near = tf.minimum(tf.searchsorted(table, tf.reshape(pairs, [-1])), len(self._joined) - 1)
        joined = tf.reshape(tf.gather(table, near), tf.shape(pairs)) == pairs
        joined = tf.pad(joined, [[0, 0], [0, tf.shape(pieces)[1]]])
        rows = tf.shape(pieces)[0]
        written = tf.broadcast_to(tf.gather(continues, vocabulary), [rows, len(self._vocabulary)])
        continuation = tf.concat([written, tf.gather(continues, pieces)], axis=1)
        return tf.where(continuation, follows | joined, self._may_end(last, pieces))

    def _may_end(self, last: Tensor, pieces: Tensor) -> Tensor:
        """Whether a word ends with the piece in the text or in a training query, bool [B, 1]."""
        goes_on = tf.pad(tf.gather(tf.constant(self._continues), pieces[:, 1:]), [[0, 0], [0, 1]])
        ends = tf.reduce_any((pieces == last) & ~goes_on, axis=1, keepdims=True)
        return ends | tf.gather(tf.constant(self._ends), last)
