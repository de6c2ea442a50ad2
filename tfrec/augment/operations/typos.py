"""Slips of the finger: one changed letter in a word."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from tfrec.augment.choice import chance_of, choose, unit_keys
from tfrec.augment.clusters import Pick, pick_cluster
from tfrec.augment.keyboards import near_letters
from tfrec.augment.operation import Operation
from tfrec.augment.protection import Protection
from tfrec.augment.randomness import uniform
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

SHORTEST = 3  # letters; shorter words become other words (Elasticsearch's fuzziness AUTO draws the line there, too)
_ALL = 1 << 30  # bytes, longer than any word
_CHOICE, _PLACE, _LETTER, _SIDE = 101, 102, 103, 104


class Typo(Operation):
    """A typo in some words, never in the first letter, where people make few (Yannakoudakis and Fawthrop 1983).

    The strength is each word's chance of one typo; at least one word of a text gets one if any may have it: words of
    three letters or more that are not protected. Scripts written without spaces have no such words: there word_dropout
    and word_swap change single characters.
    """

    reserve = 1  # clusters needed from the drawn one on

    def __init__(self, strength: float, resources: Any) -> None:
        super().__init__(strength, resources)
        self._protection = Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """See Operation."""
        chance = chance_of(self.strength, magnitude)

        def change(units: Units, row_keys: Any) -> Any:
            long = tf.strings.length(units.words, unit="BYTE" if units.ascii else "UTF8_CHAR") >= SHORTEST
            free = long & ~self._protection.mask(units)
            index = tf.where(choose(units, row_keys, free, chance, _CHOICE))
            words, word_keys = tf.gather_nd(units.words, index), unit_keys(units, row_keys, index)
            return units.join(tf.tensor_scatter_nd_update(units.words, index, self._misspelt(words, word_keys)))

        return change_units(texts, keys, change)

    def _misspelt(self, words: Any, keys: Any) -> Any:
        pick = pick_cluster(words, keys, _PLACE, skip=1, reserve=self.reserve, minimum=SHORTEST)
        end = pick.start + pick.length
        head, rest = tf.strings.substr(words, 0 * end, pick.start), tf.strings.substr(words, end, 0 * end + _ALL)
        changed = self.edit(head, tf.strings.substr(words, pick.start, pick.length), rest, pick, keys)
        return tf.where(pick.length > 0, changed, words)

    @abstractmethod
    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """The words with one typo.

        Args:
            head: string [W], what is before the drawn letter.
            letter: string [W], the drawn letter with its marks.
            rest: string [W], what follows it.
            pick: where the letter is.
            keys: uint64 [W].

        Returns:
            string [W].
        """


class TypoDelete(Typo):
    """A letter left out: "tabe". Strength: see Typo."""

    name = "typo_delete"

    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """See Typo."""
        return tf.strings.join([head, rest])


class TypoDouble(Typo):
    """A letter typed twice: "tabble". Strength: see Typo."""

    name = "typo_double"

    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """See Typo."""
        return tf.strings.join([head, letter, letter, rest])


class TypoInsert(Typo):
    """A neighbouring key hit as well, before or after the letter: "tabnle". Letters of no known keyboard stay.

    Strength: see Typo.
    """

    name = "typo_insert"

    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """See Typo."""
        slip = near_letters(letter, keys, _LETTER)
        after = uniform(keys, _SIDE) < 0.5
        return tf.strings.join([head, tf.where(after, letter, slip), tf.where(after, slip, letter), rest])


class TypoSubstitute(Typo):
    """A neighbouring key hit instead: "tanle". Letters of no known keyboard stay.

    Strength: see Typo.
    """

    name = "typo_substitute"

    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """See Typo."""
        slip = near_letters(letter, keys, _LETTER)
        return tf.strings.join([head, tf.where(tf.equal(slip, ""), letter, slip), rest])


class TypoTranspose(Typo):
    """Two letters in the wrong order: "talbe". Strength: see Typo."""

    name = "typo_transpose"
    reserve = 2

    def edit(self, head: Any, letter: Any, rest: Any, pick: Pick, keys: Any) -> Any:
        """See Typo."""
        following = tf.strings.substr(rest, 0 * pick.following, pick.following)
        return tf.strings.join(
            [head, following, letter, tf.strings.substr(rest, pick.following, 0 * pick.start + _ALL)]
        )
