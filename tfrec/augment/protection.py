"""Which units of a text no operation may change: numbers, sizes, measures, brands and negations.

Much of what a shopper types is exact: "size 12", "32 gb", "not waterproof" mean another product when a word of them
goes. Whole phrases are looked up, so that a brand of several words ("new balance") or characters (华为) is found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.augment.operation import Resources
from tfrec.augment.protected_words import AFTER_NUMBER, NEGATES_BEFORE, NEGATIONS, NUMERALS, SIZES
from tfrec.augment.units import Units, split_any
from tfrec.tensorflow_setup import tf

_FIXED, _NUMBER, _MEASURE, _NEGATION, _NEGATION_BEHIND = 1, 2, 4, 8, 16
_LONGEST_PHRASE = 6  # units; longer phrases are looked up by all their parts of this length
_HASHES = (1 << 63) - 1
_ODD = np.int64(0x1E3779B97F4A7C15)


class Protection:
    """Finds the protected units.

    Args:
        resources: brands, and whether numbers and negations are protected.
    """

    def __init__(self, resources: Resources) -> None:
        kinds: list[tuple[frozenset[str], int]] = [(resources.protected, _FIXED)]
        if resources.protect_numbers:
            kinds += [(SIZES, _FIXED), (NUMERALS, _NUMBER), (AFTER_NUMBER, _MEASURE)]
        if resources.protect_negations:
            kinds += [(NEGATIONS, _NEGATION), (NEGATES_BEFORE, _NEGATION_BEHIND)]
        self._numbers, self._negations = resources.protect_numbers, resources.protect_negations
        with tf.init_scope():  # the tables are numbers, also when the operation is made while a graph is traced
            self._tables = _tables(kinds)

    def mask(self, units: Units) -> Any:
        """Which units are protected.

        A number protects itself and a measure right after it ("12 in"), a negation itself and the unit it negates.

        Returns:
            bool [U]; all False where nothing is protected.
        """
        if not self._tables and not self._numbers:
            return tf.zeros_like(units.rows, tf.bool)
        kinds = self._kinds(units)
        mask = _has(kinds, _FIXED)
        if self._numbers:
            numbers = _has_digit(units) | _has(kinds, _NUMBER)
            mask = mask | numbers | (_has(kinds, _MEASURE) & _before(units, numbers))
        if self._negations:
            negation, behind = _has(kinds, _NEGATION), _has(kinds, _NEGATION_BEHIND)
            mask = mask | negation | behind | _before(units, negation) | _after(units, behind)
        return mask

    def _kinds(self, units: Units) -> Any:
        """The kinds of the phrases each unit is part of: int32 [U], bits."""
        if not self._tables:
            return tf.zeros_like(units.rows)
        single = _unit_hashes(units)
        total, phrase, kinds = tf.size(single), single, tf.zeros_like(units.rows)
        for length in range(1, max(self._tables) + 1):
            if length > 1:
                ahead = tf.pad(single, [[0, length - 1]])[length - 1 :][:total]
                phrase = phrase * _ODD + ahead
            if length not in self._tables:
                continue
            hashes, bits = self._tables[length]
            place = tf.minimum(tf.searchsorted(hashes, phrase), len(hashes) - 1)
            found = tf.where(tf.equal(tf.gather(hashes, place), phrase), tf.gather(bits, place), 0)
            if length > 1:
                row_ahead = tf.pad(units.rows, [[0, length - 1]], constant_values=-1)[length - 1 :][:total]
                found = tf.where(tf.equal(row_ahead, units.rows), found, 0)
            for offset in range(length):  # every unit of the phrase has its kinds
                kinds = tf.bitwise.bitwise_or(kinds, tf.pad(found, [[offset, 0]])[:total])
        return kinds


def fold(units: Units) -> Any:
    """The units' words as they are looked up: without case, width and the punctuation around them; string [U]."""
    if units.ascii:
        # four times as fast as one expression; the inner characters are never looked at
        return _strip_ascii(tf.strings.lower(units.words))
    from tensorflow_text import case_fold_utf8

    return tf.strings.regex_replace(case_fold_utf8(units.words), r"^[^\pL\pN\pM]+|[^\pL\pN\pM]+$", "")


def _strip_ascii(words: Any) -> Any:
    """Takes off one mark at the start and up to two at the end ("(nike)," -> "nike"): string [U] -> string [U]."""
    length = tf.strings.length(words)
    marks = tf.constant([not chr(code).isalnum() for code in range(128)] + [False] * 128)

    def is_mark(place: Any) -> Any:
        character = tf.strings.substr(words, tf.maximum(place, 0), tf.ones_like(place))
        return tf.gather(marks, tf.cast(tf.io.decode_raw(character, tf.uint8, fixed_length=1)[:, 0], tf.int32))

    one = tf.cast(is_mark(length - 1), tf.int32)
    two = one * tf.cast(is_mark(length - 2), tf.int32)
    first = tf.cast(is_mark(tf.zeros_like(length)), tf.int32)
    start = tf.minimum(first, length)
    return tf.strings.substr(words, start, tf.maximum(length - one - two - start, 0))


def _unit_hashes(units: Units) -> Any:
    return tf.strings.to_hash_bucket_fast(fold(units), _HASHES)


def _has_digit(units: Units) -> Any:
    pattern = "[^0-9]*" if units.ascii else r"(?s)\PN*"
    return ~tf.strings.regex_full_match(units.words, pattern)


def _before(units: Units, mask: Any) -> Any:
    """Whether the unit before, in the same row, has the mask: bool [U]."""
    return tf.pad(mask, [[1, 0]])[:-1] & (units.places > 0)


def _after(units: Units, mask: Any) -> Any:
    """Whether the unit after, in the same row, has the mask: bool [U]."""
    return tf.pad(mask & (units.places > 0), [[0, 1]])[1:]


def _has(kinds: Any, bit: int) -> Any:
    return tf.not_equal(tf.bitwise.bitwise_and(kinds, bit), 0)


def _tables(kinds: list[tuple[frozenset[str], int]]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Sorted hashes int64 [n] of all phrases of a length, and their kinds int32 [n], by that length."""
    found: dict[int, dict[int, int]] = {}
    for phrases, kind in kinds:
        ordered = sorted(phrases)
        if not ordered:
            continue
        units = split_any(tf.constant(ordered))
        hashes, rows = _unit_hashes(units).numpy(), units.rows.numpy()
        says_something = tf.not_equal(fold(units), "").numpy()  # "!!" alone would be every mark
        for row in range(len(ordered)):
            whole = hashes[rows == row]
            length = min(len(whole), _LONGEST_PHRASE) if says_something[rows == row].any() else 0
            for start in range(len(whole) - length + 1 if length else 0):
                table, number = found.setdefault(length, {}), int(_phrase_hash(whole[start : start + length]))
                table[number] = table.get(number, 0) | kind
    ordered_tables = {}
    for length, table in found.items():
        numbers = np.array(sorted(table), np.int64)
        ordered_tables[length] = numbers, np.array([table[int(number)] for number in numbers], np.int32)
    return ordered_tables


def _phrase_hash(hashes: np.ndarray) -> np.int64:
    result = hashes[0]
    with np.errstate(over="ignore"):
        for number in hashes[1:]:
            result = result * _ODD + number
    return result
