"""Finds the numbers and measures of texts: "12in", "12 inch", "500毫升", "two pack", "9x12", "1,000"."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from tfrec.augment.lookup import WordIndex
from tfrec.augment.unit_tables import COUNTED, NOT_A_MEASURE, NUMBERS, ONLY_AT_THE_END, ONLY_GLUED, alternatives
from tfrec.augment.units import Units
from tfrec.tensorflow_setup import tf

_NUMBER = r"[0-9]+(?:[.,/][0-9]+)*"
_THOUSANDS = r"[0-9]{1,3}(?:,[0-9]{3})+"
_CROSS = r"[xX×][0-9].*"
_TAIL = r"[.,;:)\]!?]+$"


@dataclass(frozen=True)
class Found:
    """What each unit holds; all [U].

    Attributes:
        number: string, the number a unit begins with; "" without one.
        rest: string, what follows it in the unit.
        tail: string, the punctuation behind the measure in the unit.
        measure: int32, the measure of the number, its place in alternatives(); -1 without one.
        taken: int32, how many units after this one the measure fills: 0 in "12in".
        value: int32, the place of the form in number_forms(); -1 without one.
        cross: bool, whether the rest is an x and another number.
        thousands: bool, whether the unit is a number with commas between thousands.
    """

    number: Any
    rest: Any
    tail: Any
    measure: Any
    taken: Any
    value: Any
    cross: Any
    thousands: Any

    def at(self, index: Any) -> Found:
        """What is found at the units of index, int64 [n, 1]."""
        return Found(*(tf.gather_nd(getattr(self, part.name), index) for part in fields(Found)))

    def without(self, units: Any) -> Found:
        """What is found outside of some units, bool [U]: nothing in them, nor a measure that fills one of them."""
        following = tf.pad(units, [[0, 2]])
        touched = units | ((self.taken >= 1) & following[1:-1]) | ((self.taken >= 2) & following[2:])
        return replace(
            self,
            measure=tf.where(touched, -1, self.measure),
            value=tf.where(touched, -1, self.value),
            taken=tf.where(touched, 0, self.taken),
            cross=self.cross & ~touched,
            thousands=self.thousands & ~touched,
        )


def number_forms() -> list[tuple[int, int]]:
    """The row of NUMBERS and the place in it of each form there."""
    return [(row, place) for row, forms in enumerate(NUMBERS) for place in range(len(forms))]


class MeasureFinder:
    """Finds measures; its tables are made once."""

    def __init__(self) -> None:
        measures = list(alternatives())
        values = [NUMBERS[row][place] for row, place in number_forms()]
        self._index = WordIndex([*measures, *values, "x", "by"])
        self._others = WordIndex([number + unit for unit, numbers in NOT_A_MEASURE.items() for number in numbers])
        self._first_value, self._first_cross = len(measures), len(measures) + len(values)
        glued = ONLY_GLUED | ONLY_AT_THE_END
        self._apart = [m not in glued for m in measures]
        self._at_end = [m in ONLY_AT_THE_END for m in measures]
        self._counted = [m in COUNTED for m in measures]
        # a fraction is one anywhere, "2" is "two" only before what is counted
        self._free = [not NUMBERS[row][0].isdigit() for row, _ in number_forms()]

    def find(self, units: Units) -> Found:
        """What the units hold."""
        words, size = units.words, tf.size(units.words)
        numeric = tf.where(_begins_with_digit(words))
        number, rest, tail, glued = self._parts(tf.gather_nd(words, numeric), units.ascii)
        shape = tf.shape(words, out_type=tf.int64)

        def spread(values: Any) -> Any:
            return tf.tensor_scatter_nd_update(tf.zeros(shape, values.dtype), numeric, values)

        numbers, rests = spread(number), spread(rest)
        whole = spread(tf.equal(rest, "") & tf.strings.regex_full_match(number, _NUMBER))
        codes = self._index(tf.strings.lower(words, "" if units.ascii else "utf-8"))
        inner = tf.pad(units.places > 0, [[0, 1]])[1:]  # whether the next unit is of the same row
        next_code, next_inner = _ahead(codes), _ahead_bool(inner) & inner
        apart = tf.where(inner & self._stands_apart(next_code, next_inner, _ahead(next_code)), next_code, -1)
        taken = tf.where(apart >= 0, 1, 0)
        if not units.ascii:
            pair = self._index(_pairs(units))
            two = next_inner & (_ahead(pair) >= 0) & (_ahead(pair) < self._first_value)
            apart, taken = tf.where(two, _ahead(pair), apart), tf.where(two, 2, taken)
        in_unit = spread(glued + 1) - 1
        measure = tf.where(whole, apart, in_unit)
        after_number = tf.pad(spread(tf.ones_like(glued)), [[1, 0]])[:size] > 0
        form = tf.clip_by_value(codes - self._first_value, 0, len(self._free) - 1)
        is_value = (codes >= self._first_value) & (codes < self._first_cross)
        free = tf.gather(self._free, form) & ~(after_number & (units.places > 0))
        counted = (apart >= 0) & tf.gather(self._counted, tf.maximum(apart, 0))
        value = tf.where(is_value & (free | counted), form, -1)
        return Found(
            number=numbers,
            rest=rests,
            tail=spread(tail),
            measure=measure,
            taken=tf.where(whole & (measure >= 0), taken, 0),
            value=value,
            cross=spread(tf.strings.regex_full_match(rest, _CROSS) & tf.strings.regex_full_match(number, _NUMBER)),
            thousands=whole & tf.strings.regex_full_match(numbers, _THOUSANDS),
        )

    def _parts(self, words: Any, ascii_only: bool) -> tuple[Any, Any, Any, Any]:
        """Number, rest, punctuation at the end and measure (-1: none) of units that begin with a digit."""
        number = tf.strings.regex_replace(words, r"(?s)[^0-9.,/].*", "")
        rest = tf.strings.substr(words, tf.strings.length(number), tf.strings.length(words))
        core = tf.strings.regex_replace(tf.strings.regex_replace(rest, "^-", ""), _TAIL, "")
        bare = tf.strings.regex_replace(rest, _TAIL, "")
        tail = tf.strings.substr(rest, tf.strings.length(bare), tf.strings.length(rest))
        core = tf.strings.lower(core, "" if ascii_only else "utf-8")
        code = self._index(core)
        known = (code >= 0) & (code < self._first_value) & tf.strings.regex_full_match(number, _NUMBER)
        known &= self._others(tf.strings.join([number, core])) < 0
        return number, rest, tail, tf.where(known, code, -1)

    def _stands_apart(self, code: Any, has_next: Any, next_code: Any) -> Any:
        """Whether a unit is a measure where it stands behind a number: bool [U]."""
        known = (code >= 0) & (code < self._first_value)
        place = tf.where(known, code, 0)
        at_end = ~has_next | (next_code >= self._first_cross)
        return known & (tf.gather(self._apart, place) | (tf.gather(self._at_end, place) & at_end))


def _begins_with_digit(words: Any) -> Any:
    first = tf.strings.substr(words, 0, 1)
    code = tf.io.decode_raw(first, tf.uint8, fixed_length=1)[:, 0]
    return (code >= 48) & (code <= 57)


def _ahead(codes: Any) -> Any:
    """The value of the next unit: int32 [U]."""
    return tf.pad(codes, [[0, 1]], constant_values=-1)[1:]


def _ahead_bool(mask: Any) -> Any:
    return tf.pad(mask, [[0, 1]])[1:]


def _pairs(units: Units) -> Any:
    """Each unit with the next one, if nothing is between them: string [U]."""
    following = tf.concat([units.words[1:], [""]], 0)[: tf.size(units.words)]
    assert units.gaps is not None, "ASCII has no measures of two single characters"
    gaps = tf.concat([units.gaps[1:], [" "]], 0)[: tf.size(units.words)]
    return tf.strings.join([units.words, gaps, following])
