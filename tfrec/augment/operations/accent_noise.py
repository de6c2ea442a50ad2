"""Accents left out, as on a keyboard that has none."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from tfrec.augment.choice import chance_of, choose
from tfrec.augment.operation import Operation
from tfrec.augment.randomness import uniform
from tfrec.augment.units import Units, change_units
from tfrec.tensorflow_setup import tf

_CHOICE, _STYLE = 141, 142
_TABLE_SIZE = 0x2000
_LATIN = {
    "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ẞ": "SS",
}  # fmt: skip
# other letters that are one key away; й and ї are letters of their own, as are Indic and Thai vowels and kana
_OTHERS = {"ё": "е", "Ё": "Е", "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه"}
_DIGRAPHS = {
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "Ä": "Ae",
    "Ö": "Oe",
    "Ü": "Ue",
    "å": "aa",
    "Å": "Aa",
    "ø": "oe",
    "Ø": "Oe",
}
_POINTS = [*range(0x64B, 0x653), 0x640, *range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7]
_COMBINING = range(0x300, 0x370)  # dropped behind letters below 0x400: Latin and Greek
_STAYS, _GOES = 0, -1


class AccentNoise(Operation):
    """Writes words without accents: "café" as "cafe", "Müller" as "Muller" or "Mueller", "ё" as "е"; no Arabic points.

    The strength is the chance of each word with accents; at least one such word of a text changes. Protected words may
    change, for they keep their meaning.
    """

    name = "accent_noise"
    keeps_protected: ClassVar[bool] = False

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """See Operation."""
        chance = chance_of(self.strength, magnitude)

        def change(units: Units, row_keys: Any) -> Any:
            if units.ascii:
                return units.texts
            lengths = tf.strings.length(units.words)
            marked = tf.not_equal(lengths, tf.strings.length(units.words, unit="UTF8_CHAR"))
            index = tf.where(marked)
            words = tf.gather_nd(units.words, index)
            bare = _bare(words, uniform(tf.gather(row_keys, tf.gather_nd(units.rows, index)), _STYLE) < 0.5)
            stripped = tf.tensor_scatter_nd_update(units.words, index, tf.where(tf.equal(bare, ""), words, bare))
            chosen = choose(units, row_keys, tf.not_equal(stripped, units.words), chance, _CHOICE)
            return units.join(tf.where(chosen, stripped, units.words))

        return change_units(texts, keys, change)


def _bare(words: Any, digraphs: Any) -> Any:
    """The words without accents: string [W], bool [W] (ä as ae) -> string [W]."""
    codes = tf.strings.unicode_decode(words, "UTF-8")
    flat, rows = codes.flat_values, codes.value_rowids()
    before = tf.pad(flat, [[1, 0]])[:-1]
    inner = tf.equal(rows, tf.pad(rows, [[1, 0]], constant_values=-1)[:-1])
    plain, spelt = _tables()
    known = tf.where(flat < _TABLE_SIZE, flat, 0)
    pairs = tf.where(tf.gather(digraphs, rows)[:, None], tf.gather(spelt, known), tf.gather(plain, known))
    combining = (flat >= _COMBINING.start) & (flat < _COMBINING.stop)
    goes = tf.where(combining, inner & (before < 0x400), tf.equal(pairs[:, 0], _GOES))
    first = tf.where(pairs[:, 0] > 0, pairs[:, 0], flat)
    both = tf.stack([first, pairs[:, 1]], 1)
    keep = tf.stack([~goes, pairs[:, 1] > 0], 1)
    kept = tf.math.segment_sum(tf.reduce_sum(tf.cast(keep, tf.int64), 1), rows)
    lengths = tf.pad(kept, [[0, codes.nrows() - tf.size(kept, out_type=tf.int64)]])
    return tf.strings.unicode_encode(tf.RaggedTensor.from_row_lengths(tf.boolean_mask(both, keep), lengths), "UTF-8")


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """What each code point becomes, int32 [_TABLE_SIZE, 2] each: bare letters, and bare letters with ä as ae."""
    plain = np.full((_TABLE_SIZE, 2), _STAYS, np.int32)
    for code in [*range(0xC0, 0x250), *range(0x370, 0x400), *range(0x1E00, 0x2000)]:
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and parts[0].isalpha():
            plain[code, 0] = ord(parts[0])
    plain[_POINTS, 0] = _GOES
    spelt = _write(plain, {**_LATIN, **_OTHERS})
    return spelt, _write(spelt, _DIGRAPHS)


def _write(table: np.ndarray, changes: dict[str, str]) -> np.ndarray:
    table = table.copy()
    for letter, spelling in changes.items():
        table[ord(letter)] = [ord(c) for c in spelling] + [_STAYS] * (2 - len(spelling))
    return table
