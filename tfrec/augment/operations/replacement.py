"""Puts other words in the place of words: synonyms of the shop, or neighbours in the encoder's embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfrec.augment.choice import chance_of, unit_keys
from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.randomness import uniform
from tfrec.augment.replacement_table import Matches, ReplacementTable
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

_MARKS_BEFORE, _MARKS_BEHIND = r"(?s)^([^\pL\pN\pM]*).*$", r"(?s)^.*?([^\pL\pN\pM]*)$"
_APART = r"(?s)[^\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"


class Replacement(Operation):
    """Replaces phrases that a table knows; capitals and the punctuation around a phrase stay as they were.

    Protected words are left alone, and so is a phrase with punctuation inside ("coffee, table" is no coffee table).

    Args:
        strength: the probability, for every phrase found; one of each text is replaced at least.
        resources: what is protected.
        table: case-folded phrase -> replacements, best first.
    """

    def __init__(self, strength: float, resources: Resources, table: Mapping[str, list[str]]) -> None:
        super().__init__(strength, resources)
        self._table, self._protection = ReplacementTable(table), Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        if self._table.empty:
            return tf.identity(texts)

        def change(units: Units, keys: Any) -> Any:
            found = self._table.find(units, units.real & ~self._protection.mask(units))
            own = unit_keys(units, keys, found.starts[:, None])
            drawn = self._drawn(units, found, uniform(own), chance_of(self.strength, magnitude))
            found = Matches(*(part[drawn] for part in found))
            written = self._written(units, found, uniform(own, 1)[drawn])
            words = tf.tensor_scatter_nd_update(units.words, found.starts[:, None], written)
            return units.join(words, self._kept(units, found))

        return change_units(texts, keys, change)

    def _drawn(self, units: Units, found: Matches, draws: Any, chance: Any) -> Any:
        """Which phrases are replaced: each by chance, and at least one of each row that has any; bool [M]."""
        rows = tf.gather(units.rows, found.starts)
        least = tf.gather(tf.math.unsorted_segment_min(draws, rows, tf.size(units.texts)), rows)
        return ((draws < chance) | tf.equal(draws, least)) & (chance > 0.0)

    def _written(self, units: Units, found: Matches, draws: Any) -> Any:
        """What is put for each phrase: string [M]."""
        first = tf.gather(units.words, found.starts)
        last = tf.gather(units.words, found.starts + found.lengths - 1)
        new = self._table.replacement(found.phrases, draws, _capitals(first, last))
        return _with_marks(first, last, _apart_from_neighbours(units, found, new))

    def _kept(self, units: Units, found: Matches) -> Any:
        """bool [U], False for all units of a phrase but the first."""
        behind = tf.ragged.range(found.starts + 1, found.starts + found.lengths).flat_values[:, None]
        return tf.tensor_scatter_nd_update(tf.ones_like(units.real), behind, tf.zeros_like(behind[:, 0], tf.bool))


class Synonyms(Replacement):
    """Replaces words and phrases by their synonyms ("couch" -> "sofa"), from Resources.synonyms.

    The synonym replacement of Wei and Zou, "EDA: Easy Data Augmentation Techniques" (2019), with the shop's own table
    in the place of WordNet. The first synonyms of a phrase are drawn more often than the last.

    Args:
        strength: the probability, for every phrase of the table; one of each text is replaced at least.
        resources: the synonyms, and what is protected.
    """

    name = "synonyms"

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources, resources.synonyms)


class WordNeighbours(Replacement):
    """Replaces words by words with a similar embedding in the encoder, from Resources.neighbours.

    Near words need not mean the same; keep it rare, or under the meaning guard.

    Args:
        strength: the probability, for every word of the table; one of each text is replaced at least.
        resources: the neighbours, and what is protected.
    """

    name = "word_neighbours"

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources, resources.neighbours)


def _capitals(first: Any, last: Any) -> Any:
    """How phrases are written, from their first and last words: 0 small, 1 as in a title, 2 in capitals; int32 [M]."""
    small = tf.equal(first, tf.strings.lower(first, encoding="utf-8"))
    words = tf.strings.join([first, last])
    large = tf.equal(words, tf.strings.upper(words, encoding="utf-8")) & (tf.strings.length(first) > 1)
    return tf.where(small, 0, tf.where(large, 2, 1))


def _with_marks(first: Any, last: Any, new: Any) -> Any:
    """Replacements between the punctuation that was around the phrases: string [M] each -> string [M]."""
    edges = tf.strings.join([tf.strings.substr(first, 0, 1), tf.strings.substr(last, -1, 1)])
    rows = tf.where(~_full(edges, "[A-Za-z0-9]{2}"))  # few; half a character counts as one of them
    before = tf.strings.regex_replace(tf.gather_nd(first, rows), _MARKS_BEFORE, r"\1")
    behind = tf.strings.regex_replace(tf.gather_nd(last, rows), _MARKS_BEHIND, r"\1")
    return tf.tensor_scatter_nd_update(new, rows, tf.strings.join([before, tf.gather_nd(new, rows), behind]))


def _apart_from_neighbours(units: Units, found: Matches, new: Any) -> Any:
    """Replacements with a blank where a word would otherwise grow into the word beside it: string [M] -> string [M]."""
    if units.single is None:
        return new
    words = ~tf.pad(units.single, [[1, 1]], constant_values=True)  # word, not character; False beyond both ends
    rows = tf.pad(units.rows, [[1, 1]], constant_values=-1)
    tight = tf.equal(tf.pad(units.gaps, [[1, 1]]), "")
    start, end = found.starts + 1, found.starts + found.lengths + 1
    before = tf.gather(words, start - 1) & tf.equal(tf.gather(rows, start - 1), tf.gather(rows, start))
    behind = tf.gather(words, end) & tf.equal(tf.gather(rows, end), tf.gather(rows, start))
    before &= tf.gather(tight, start) & _full(new, _APART + ".*")
    # an empty word holds the white space at the end of a text
    behind &= tf.gather(tight, end) & _full(new, "(?s).*" + _APART) & tf.gather(tf.pad(units.real, [[1, 1]]), end)
    return tf.strings.join([tf.where(before, " ", ""), new, tf.where(behind, " ", "")])


def _full(texts: Any, pattern: str) -> Any:
    return tf.strings.regex_full_match(texts, pattern)
