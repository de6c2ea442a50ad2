"""Exact look-up of words in a graph, by sorted hashes: no table resource that would have to be initialised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

_HASHES = (1 << 63) - 1


class WordIndex:
    """Numbers of known words.

    Args:
        words: the known words, without doubles; their places are their numbers.
    """

    def __init__(self, words: Sequence[str]) -> None:
        with tf.init_scope():  # numbers, also when made while a graph is traced
            hashes = tf.strings.to_hash_bucket_fast(tf.constant(list(words), tf.string), _HASHES).numpy()
        self._places = np.argsort(hashes).astype(np.int32)
        self._hashes = hashes[self._places]

    def __call__(self, words: Any) -> Any:
        """The number of each word: string [...] -> int32 [...], -1 where it is unknown."""
        hashes = tf.strings.to_hash_bucket_fast(words, _HASHES)
        place = tf.minimum(tf.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return tf.where(tf.equal(tf.gather(self._hashes, place), hashes), tf.gather(self._places, place), -1)
