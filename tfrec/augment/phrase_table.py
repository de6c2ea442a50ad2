"""Looks up every phrase of a text, of any number of units, in a table of hashes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tfrec.augment.folding import fold, hash_words
from tfrec.augment.units import Units, split_any
from tfrec.tensorflow_setup import tf

_LONGEST = 6  # units; longer phrases are looked up by all their parts of this length
_ODD = np.int64(0x1E3779B97F4A7C15)
_OPENS = 1 << 30  # the kind of a unit that begins a phrase of several
_SPARSE = 32  # bits of the filter for each phrase


class PhraseTable:
    """Phrases and their kinds.

    A bit filter sorts out most units, a search among the sorted hashes finds the kinds of the others, and only where a
    longer phrase begins are the units behind looked at.

    Args:
        phrases: (phrase, kind) pairs; a kind is a bit below 2^30. Phrases that fold to nothing are left out.
    """

    def __init__(self, phrases: Iterable[tuple[str, int]]) -> None:
        with tf.init_scope():  # the tables are numbers, also when an operation is made while a graph is traced
            self._tables = _tables(sorted(set(phrases)))
        if not self._tables:
            return
        singles = self._tables[1][0]
        size = 1 << int(np.ceil(np.log2(_SPARSE * len(singles))))
        self._filter = np.zeros(size, bool)
        self._filter[singles & (size - 1)] = True

    def kinds(self, units: Units, hashes: Any) -> Any:
        """The kinds of the phrases that each unit is part of.

        Args:
            units: U units.
            hashes: int64 [U], from folding.fold_units.

        Returns:
            int32 [U], bits; where longer phrases overlap, the highest bit of them.
        """
        if not self._tables:
            return tf.zeros_like(units.rows)
        maybe = tf.where(tf.gather(tf.constant(self._filter), tf.bitwise.bitwise_and(hashes, len(self._filter) - 1)))
        found = _search(self._tables[1], tf.gather(hashes, maybe[:, 0]))
        kinds = tf.scatter_nd(maybe, found, tf.shape(hashes, tf.int64))
        if len(self._tables) == 1:
            return kinds
        opens = tf.cast(tf.boolean_mask(maybe[:, 0], tf.bitwise.bitwise_and(found, _OPENS) > 0), tf.int32)
        total, row, phrase = tf.size(hashes), tf.gather(units.rows, opens), tf.gather(hashes, opens)
        places, longer = [], []
        for length in range(2, max(self._tables) + 1):
            end = tf.minimum(opens + length - 1, total - 1)
            phrase = phrase * _ODD + tf.gather(hashes, end)
            if length in self._tables:
                inside = (opens + length <= total) & tf.equal(tf.gather(units.rows, end), row)
                kind = tf.where(inside, _search(self._tables[length], phrase), 0)
                places += [tf.minimum(opens + offset, total - 1) for offset in range(length)]
                longer += [kind] * length
        highest = tf.math.unsorted_segment_max(tf.concat(longer, 0), tf.concat(places, 0), total)
        return tf.bitwise.bitwise_or(kinds, tf.maximum(highest, 0))  # a unit in no phrase has the least number


def _search(table: tuple[np.ndarray, np.ndarray], hashes: Any) -> Any:
    """The kind of each hash, 0 where it is not in the table: int64 [n] -> int32 [n]."""
    known, kinds = table
    place = tf.minimum(tf.searchsorted(known, hashes), len(known) - 1)
    return tf.where(tf.equal(tf.gather(known, place), hashes), tf.gather(kinds, place), 0)


def _tables(phrases: list[tuple[str, int]]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Sorted hashes int64 [n] of all phrases of a length, and their kinds int32 [n], by that length."""
    units = split_any(tf.constant([phrase for phrase, _ in phrases], tf.string))
    hashes, says_something = hash_words(units.words).numpy(), tf.not_equal(fold(units.words), "").numpy()
    ends = np.cumsum(units.counts.numpy())
    found: dict[int, dict[int, int]] = {}

    def add(length: int, number: int, kind: int) -> None:
        table = found.setdefault(length, {})
        table[number] = table.get(number, 0) | kind

    for (_, kind), end, count in zip(phrases, ends, units.counts.numpy(), strict=True):
        if not says_something[end - count : end].any():  # "!!" alone would be every mark
            continue
        length = min(count, _LONGEST)
        for start in range(end - count, end - length + 1):
            whole = hashes[start : start + length]
            if length > 1:
                add(1, int(whole[0]), _OPENS)
            add(length, int(_phrase_hash(whole)), kind)
    tables = {}
    for length, table in found.items():
        numbers = np.array(sorted(table), np.int64)
        tables[int(length)] = numbers, np.array([table[int(number)] for number in numbers], np.int32)
    return tables


def _phrase_hash(hashes: np.ndarray) -> np.int64:
    result = hashes[0]
    with np.errstate(over="ignore"):
        for number in hashes[1:]:
            result = result * _ODD + number
    return result
