"""Phrases and what may stand in their place, as arrays that a graph can search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfrec.augment.folding import fold_units, hash_words
from tfrec.augment.units import Units, split_any
from tfrec.tensorflow_setup import tf

LONGEST = 6  # units: words, or characters of a script without blanks
_ODD = np.int64(0x1E3779B97F4A7C15)
_SIEVE_BITS = 18


class Matches(NamedTuple):
    """Phrases found in a batch, none sharing a unit with another.

    Attributes:
        starts: int32 [M], index of the first unit.
        lengths: int32 [M], how many units.
        phrases: int32 [M], number of the phrase in the table.
    """

    starts: Any
    lengths: Any
    phrases: Any


class ReplacementTable:
    """Finds phrases in units and holds their replacements.

    Args:
        table: case-folded phrase -> replacements, best first. Phrases of more than LONGEST units are left out.
    """

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        usable = {phrase: [one for one in table[phrase] if one and one != phrase] for phrase in sorted(table)}
        phrases = [phrase for phrase, replacements in usable.items() if replacements]
        self._hashes: dict[int, np.ndarray] = {}  # by length, sorted
        self._numbers: dict[int, np.ndarray] = {}
        with tf.init_scope():  # the arrays are numbers, also when the table is made while a graph is traced
            lengths = self._index(phrases) if phrases else []
        counts = [len(usable[phrase]) for phrase in phrases]
        self._first = np.cumsum([0, *counts]).astype(np.int32)
        flat = [replacement for phrase in phrases for replacement in usable[phrase]]
        # a replacement as it is, with capitals as in a title, and all in capitals
        self._forms = np.array([[one, _title(one), one.upper()] for one in flat or [""]], object)
        self.empty = not lengths

    def _index(self, phrases: list[str]) -> list[int]:
        units = split_any(tf.constant(phrases))
        hashes, rows, counts = hash_words(units.words).numpy(), units.rows.numpy(), units.counts.numpy()
        found: dict[int, dict[int, int]] = {}
        for number, first in enumerate(np.searchsorted(rows, np.arange(len(phrases)))):
            length = int(counts[number])
            if 0 < length <= LONGEST:
                whole = hashes[first]
                with np.errstate(over="ignore"):
                    for one in hashes[first + 1 : first + length]:
                        whole = whole * _ODD + one
                found.setdefault(length, {})[int(whole)] = number
        for length, table in found.items():
            ordered = sorted(table)
            self._hashes[length] = np.array(ordered, np.int64)
            self._numbers[length] = np.array([table[one] for one in ordered], np.int32)
        return list(found)

    def find(self, units: Units, free: Any) -> Matches:
        """The phrases in a batch; of two that share a unit the longer one counts, then the one further left.

        Args:
            units: of B texts.
            free: bool [U], the units that may be part of a phrase.

        Returns:
            the matches, in no particular order.
        """
        single = fold_units(units).hashes
        total, phrase = tf.size(single), single
        found: dict[int, tuple[Any, Any]] = {}
        for length in range(1, max(self._hashes) + 1):
            if length > 1:
                phrase = phrase * _ODD + tf.pad(single, [[0, length - 1]])[length - 1 :][:total]
            if length in self._hashes:
                found[length] = self._look_up(units, free, phrase, length)
        taken = tf.zeros_like(free)
        chosen = []
        for length in sorted(found, reverse=True):
            starts, numbers = found[length]
            alone = tf.concat([tf.ones([1], tf.bool), starts[1:] - starts[:-1] >= length], 0)[: tf.size(starts)]
            for offset in range(length):
                alone &= ~tf.gather(taken, starts + offset)
            starts, numbers = starts[alone], numbers[alone]
            chosen.append(Matches(starts, tf.fill(tf.shape(starts), length), numbers))
            if len(chosen) < len(found):
                every = tf.reshape(starts[:, None] + tf.range(length), [-1, 1])
                taken = tf.tensor_scatter_nd_update(taken, every, tf.ones_like(every[:, 0], tf.bool))
        return Matches(*(tf.concat(parts, 0) for parts in zip(*chosen, strict=True)))

    def _look_up(self, units: Units, free: Any, phrase: Any, length: int) -> tuple[Any, Any]:
        """Where the phrases of one length begin, int32 [M] ascending, and their numbers, int32 [M]."""
        hashes, numbers = self._hashes[length], self._numbers[length]
        sieve = np.zeros(1 << _SIEVE_BITS, np.bool_)  # one glance tells almost all units that begin no phrase
        sieve[hashes & (len(sieve) - 1)] = True
        at = tf.bitwise.bitwise_and(phrase, len(sieve) - 1)
        starts = tf.cast(tf.where(tf.gather(sieve, at) & free)[:, 0], tf.int32)
        starts = starts[starts + length <= tf.size(units.rows)]
        wanted = tf.gather(phrase, starts)
        place = tf.minimum(tf.searchsorted(hashes, wanted), len(hashes) - 1)
        good = tf.equal(tf.gather(hashes, place), wanted)
        for offset in range(1, length):
            good &= tf.gather(free, starts + offset) & _joined(units, starts + offset)
        return starts[good], tf.gather(numbers, place)[good]

    def replacement(self, phrases: Any, draws: Any, form: Any) -> Any:
        """One replacement for each phrase; better ones are drawn more often.

        Args:
            phrases: int32 [M].
            draws: float32 [M] in [0, 1).
            form: int32 [M], 0 as it stands in the table, 1 with capitals as in a title, 2 all in capitals.

        Returns:
            string [M].
        """
        first, end = tf.gather(self._first, phrases), tf.gather(self._first, phrases + 1)
        steps = tf.cast(draws * draws * tf.cast(end - first, tf.float32), tf.int32)
        place = tf.minimum(first + steps, end - 1)
        return tf.gather_nd(tf.constant(self._forms.tolist()), tf.stack([place, form], axis=1))


def _joined(units: Units, places: Any) -> Any:
    """Whether each unit goes on with the phrase of the unit before it: same row, no punctuation between: bool [M]."""
    before, here = tf.gather(units.words, places - 1), tf.gather(units.words, places)
    joined = tf.equal(tf.gather(units.rows, places - 1), tf.gather(units.rows, places))
    joined &= tf.strings.regex_full_match(before, r"(?s).*[\pL\pN\pM]")
    joined &= tf.strings.regex_full_match(here, r"(?s)[\pL\pN\pM].*")
    if units.single is not None:  # two characters with a blank between them are two words
        both = tf.gather(units.single, places - 1) & tf.gather(units.single, places)
        joined &= ~both | tf.equal(tf.gather(units.gaps, places), "")
    return joined


def _title(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))
