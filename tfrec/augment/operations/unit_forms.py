"""Measures and numbers in the forms people give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from tfrec.augment.choice import chance_of, choose, unit_keys
from tfrec.augment.measures import Found, MeasureFinder, number_forms
from tfrec.augment.operation import Operation, Resources
from tfrec.augment.protection import Protection
from tfrec.augment.randomness import integers, uniform
from tfrec.augment.unit_tables import NUMBERS, SYMBOLS, alternatives
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

_CHOICE, _KIND, _FORM, _SECOND, _GLUE = 161, 162, 163, 164, 165
_EAST_ASIAN = r"(?s).*[\p{Han}\p{Hiragana}\p{Katakana}].*"
_MOST = 6  # forms of one measure


class UnitForms(Operation):
    """Writes "12in" as "12 inch", '12"' or "12-inch", "two pack" as "2 pack", "1/2" as "0.5", "9x12" as "9 x 12".

    The strength is the chance of each number or measure with another form; at least one of a text changes. The amount
    and the measure stay the same, nothing is converted: so protected words may change, but for brands ("Half Pint").
    """

    name = "unit_forms"
    keeps_protected: ClassVar[bool] = False

    def __init__(self, strength: float, resources: Resources) -> None:
        super().__init__(strength, resources)
        self._finder = MeasureFinder()
        self._brands = Protection(replace(resources, protect_numbers=False, protect_negations=False))
        self._western, self._eastern = (
            _table([forms[script] for forms in alternatives().values()]) for script in (0, 1)
        )
        self._numbers = _table([list(forms) for forms in NUMBERS])
        self._number_forms = np.array(number_forms(), np.int32)

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """See Operation."""
        chance = chance_of(self.strength, magnitude)

        def change(units: Units, row_keys: Any) -> Any:
            found = self._finder.find(units).without(self._brands.mask(units))
            other = (found.value >= 0) | found.cross | found.thousands
            chosen = choose(units, row_keys, (found.measure >= 0) | other, chance, _CHOICE)
            measured = chosen & (found.measure >= 0) & (~other | (units.uniform(row_keys, _KIND) < 0.7))
            written = chosen & ~measured
            words = units.words

            def write(mask: Any, form: Callable[[Found, Any, Any], Any]) -> Any:
                index = tf.where(mask)
                new = form(found.at(index), unit_keys(units, row_keys, index), index)
                return tf.tensor_scatter_nd_update(words, index, new)

            words = write(measured, lambda part, key, index: self._measure(part, key, _is_eastern(units, index)))
            words = write(written & (found.value >= 0), self._value)
            words = write(written & found.cross, _crossed)
            words = write(written & found.thousands, lambda part, *_: tf.strings.regex_replace(part.number, ",", ""))
            taken = tf.where(measured, found.taken, 0)
            gone = (tf.pad(taken, [[1, 0]])[:-1] >= 1) | (tf.pad(taken, [[2, 0]])[:-2] >= 2)
            return units.join(words, keep=~gone)

        return change_units(texts, keys, change)

    def _measure(self, part: Found, keys: Any, eastern: Any) -> Any:
        """A number and its measure, written anew: string [n]."""
        (west, west_counts), (east, east_counts) = self._western, self._eastern
        count = tf.where(eastern, tf.gather(east_counts, part.measure), tf.gather(west_counts, part.measure))
        drawn = integers(keys, _FORM, count)
        place = part.measure * _MOST
        old = tf.gather(west, place)
        glued = tf.equal(part.taken, 0)
        # these are never written apart, so the same form again would be no change
        again = tf.equal(drawn, 0) & (eastern | (glued & _is_symbol(old))) & (count > 1)
        drawn = tf.where(again, 1 + integers(keys, _SECOND, count - 1), drawn)
        form = tf.where(eastern, tf.gather(east, place + drawn), tf.gather(west, place + drawn))
        style = uniform(keys, _GLUE)
        free = tf.where(style < 1 / 3, "", tf.where(style < 2 / 3, " ", "-"))
        glue = tf.where(tf.equal(drawn, 0), tf.where(glued, " ", ""), free)
        glue = tf.where(eastern | _is_symbol(form), "", glue)
        return tf.strings.join([part.number, glue, form, part.tail])

    def _value(self, part: Found, keys: Any, index: Any) -> Any:
        """A number in another form: string [n]."""
        row, own = (tf.gather(self._number_forms[:, column], part.value) for column in (0, 1))
        table, counts = self._numbers
        count = tf.gather(counts, row)
        other = (own + 1 + integers(keys, _FORM, count - 1)) % count
        return tf.gather(table, row * _MOST + other)


def _crossed(part: Found, keys: Any, index: Any) -> Any:
    """9x12 with the x in another form: string [n]."""
    sign = tf.where(tf.strings.regex_full_match(part.rest, "×.*"), "x", "×")
    sign = tf.where(uniform(keys, _FORM) < 0.5, " x ", sign)
    return tf.strings.join([part.number, sign, tf.strings.regex_replace(part.rest, "^[xX×]", "")])


def _is_eastern(units: Units, index: Any) -> Any:
    """Whether the units of index are in a text with Han characters or kana: bool [n]."""
    rows = tf.gather_nd(units.rows, index)
    if units.ascii:
        return tf.zeros_like(rows, tf.bool)
    return tf.strings.regex_full_match(tf.gather(units.texts, rows), _EAST_ASIAN)


def _is_symbol(forms: Any) -> Any:
    return tf.reduce_any(tf.equal(forms[:, None], tf.constant(SYMBOLS)), 1)


def _table(rows: list[list[str]]) -> tuple[Any, Any]:
    """Rows of forms, flat and padded to _MOST each, and how many each has."""
    flat = np.array([form for row in rows for form in row + [""] * (_MOST - len(row))], dtype=object)
    return flat, np.array([len(row) for row in rows], np.int32)
