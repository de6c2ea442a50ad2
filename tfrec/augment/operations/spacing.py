"""Blanks and hyphens as people type them."""

from __future__ import annotations

from typing import Any

from tfrec.augment.choice import chance_of, choose
from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

_CHOICE, _STYLE = 131, 132
# letters of the scripts that are written with blanks, and their marks
_LETTER = r"[^\PL\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_WORD = rf"{_LETTER}(?:{_LETTER}|\pM)*"


class Spacing(Operation):
    """Takes out hyphens ("e-reader" becomes "e reader" or "ereader") and blanks ("e reader" becomes "ereader").

    Or a hyphen comes for the blank. The strength is the chance of each hyphened word and of each blank between two
    words; at least one is changed, first of all a hyphened word. Numbers, sizes, brands and negations are neither split
    nor joined to anything.
    """

    name = "spacing"

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources)
        self._protection = Protection(resources)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """See Operation."""
        chance = chance_of(self.strength, magnitude)

        def change(units: Units, row_keys: Any) -> Any:
            word = "[A-Za-z]+" if units.ascii else _WORD
            free = ~self._protection.mask(units)
            plain = free & tf.strings.regex_full_match(units.words, word)
            hyphened = free & tf.strings.regex_full_match(units.words, f"{word}(?:-{word})+")
            joint = plain & _behind(plain & (units.places > 0))  # this unit and the next
            if units.gaps is not None:
                joint = joint & _behind(tf.not_equal(units.gaps, ""))
            chosen = choose(units, row_keys, hyphened | joint, chance, _CHOICE, later=joint)
            joined = chosen & joint & ~tf.pad(chosen & joint, [[1, 0]])[:-1]  # never three into one
            style = units.uniform(row_keys, _STYLE) < 0.5
            words = _at(chosen & hyphened, units.words, lambda some, at: _split(some, tf.gather_nd(style, at)))
            following = tf.concat([units.words[1:], [""]], 0)[: tf.size(words)]

            def merged(some: Any, at: Any) -> Any:
                between = tf.where(tf.gather_nd(style, at), "", "-")
                return tf.strings.join([some, between, tf.gather_nd(following, at)])

            return units.join(_at(joined, words, merged), keep=~tf.pad(joined, [[1, 0]])[:-1])

        return change_units(texts, keys, change)


def _split(words: Any, apart: Any) -> Any:
    blanks = tf.strings.regex_replace(words, "-", " ")
    return tf.where(apart, blanks, tf.strings.regex_replace(words, "-", ""))


def _behind(mask: Any) -> Any:
    """Whether the next unit has the mask: bool [U]."""
    return tf.pad(mask, [[0, 1]])[1:]


def _at(mask: Any, words: Any, change: Any) -> Any:
    """The words with those under the mask changed."""
    index = tf.where(mask)
    return tf.tensor_scatter_nd_update(words, index, change(tf.gather_nd(words, index), index))
