"""Capitals as people type them."""

from __future__ import annotations

from typing import Any, ClassVar

from tfrec.augment.choice import chance_of, choose
from tfrec.augment.operation import Operation
from tfrec.augment.randomness import uniform
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

_CHOICE, _STYLE = 121, 122
# TensorFlow's lower and upper end a text at a NUL; the Greek subscript iota becomes a letter of its own
_UNFIT = r"(?s).*[\x00\x{345}].*"


class CaseNoise(Operation):
    """Writes words in lower case, in CAPITALS or with a Capital first letter; one style per text.

    The strength is each word's chance; at least one word of a text is written so. Protected words may change, for they
    keep their meaning.
    """

    name = "case_noise"
    keeps_protected: ClassVar[bool] = False

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """See Operation."""
        chance = chance_of(self.strength, magnitude)

        def change(units: Units, row_keys: Any) -> Any:
            free = units.real
            if not units.ascii:
                free = free & ~tf.strings.regex_full_match(units.words, _UNFIT)
            index = tf.where(choose(units, row_keys, free, chance, _CHOICE))
            words = tf.gather_nd(units.words, index)
            style = uniform(tf.gather(row_keys, tf.gather_nd(units.rows, index)), _STYLE)
            encoding, unit = ("", "BYTE") if units.ascii else ("utf-8", "UTF8_CHAR")
            lower, upper = tf.strings.lower(words, encoding), tf.strings.upper(words, encoding)
            first = tf.strings.substr(words, 0, 1, unit=unit)
            rest = tf.strings.substr(words, tf.strings.length(first), tf.strings.length(words))
            title = tf.strings.join([tf.strings.upper(first, encoding), tf.strings.lower(rest, encoding)])
            drawn = tf.where(style < 1 / 3, lower, tf.where(style < 2 / 3, upper, title))
            return units.join(tf.tensor_scatter_nd_update(units.words, index, drawn))

        return change_units(texts, keys, change)
