"""Full and half width, as East Asian keyboards give both."""

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

_CHOICE, _KANA = 151, 152
_SHIFT = 0xFEE0  # between "!" and its full-width form
_EAST_ASIAN = r"(?s).*[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\x{FF01}-\x{FF5E}].*"
_WIDE = r"(?s).*[\x{FF01}-\x{FF5E}].*"
_NARROW = "[!-~]+"
_NARROW_KANA = r"[\x{FF66}-\x{FF9F}]+"
_FIRST_KANA, _LAST_KANA, _VOICED, _HALF_VOICED = 0xFF66, 0xFF9D, 0xFF9E, 0xFF9F


class WidthNoise(Operation):
    """Writes "Ｔ恤１２" as "T恤12" and the other way, and ｶﾀｶﾅ as カタカナ, in texts with East Asian characters.

    The strength is each word's chance, half-width kana change together with that chance; at least one word of a text
    changes if any can. Protected words may change, for they keep their meaning.
    """

    name = "width_noise"
    keeps_protected: ClassVar[bool] = False

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """See Operation."""
        chance = chance_of(self.strength, magnitude)

        def change(units: Units, row_keys: Any) -> Any:
            if units.ascii:
                return units.texts
            eastern = units.per_unit(tf.strings.regex_full_match(units.texts, _EAST_ASIAN))
            wide = tf.strings.regex_full_match(units.words, _WIDE)
            narrow = eastern & tf.strings.regex_full_match(units.words, _NARROW)
            kana = tf.strings.regex_full_match(units.words, _NARROW_KANA)
            chosen = choose(units, row_keys, wide | narrow, chance, _CHOICE)
            chosen = chosen | (kana & units.per_unit(uniform(row_keys, _KANA) < chance))
            index = tf.where(chosen)
            changed = _other_width(tf.gather_nd(units.words, index), tf.gather_nd(narrow, index))
            return units.join(tf.tensor_scatter_nd_update(units.words, index, changed))

        return change_units(texts, keys, change)


def _other_width(words: Any, widen: Any) -> Any:
    """string [W], bool [W] (else made narrow, and kana wide) -> string [W]."""
    codes = tf.strings.unicode_decode(words, "UTF-8")
    flat, rows = codes.flat_values, codes.value_rowids()
    wide = tf.where((flat > 0x20) & (flat < 0x7F), flat + _SHIFT, flat)
    narrow = tf.where((flat > 0xFF00) & (flat < 0xFF5F), flat - _SHIFT, flat)
    # a voicing mark melts into the kana before it
    after = tf.where(tf.equal(rows, tf.pad(rows, [[0, 1]], constant_values=-1)[1:]), tf.pad(flat, [[0, 1]])[1:], 0)
    mark = tf.where(tf.equal(after, _VOICED), 1, tf.where(tf.equal(after, _HALF_VOICED), 2, 0))
    is_kana = (flat >= _FIRST_KANA) & (flat <= _LAST_KANA)
    place = tf.where(is_kana, flat - _FIRST_KANA, 0)
    with_mark = tf.gather_nd(_kana(), tf.stack([place, mark], 1))
    melts = is_kana & (mark > 0) & (with_mark > 0)
    kana = tf.where(melts, with_mark, tf.gather(_kana()[:, 0], place))
    gone = tf.pad(melts, [[1, 0]])[:-1]
    changed = tf.where(tf.gather(widen, rows), wide, tf.where(is_kana, kana, narrow))
    encoded = tf.ragged.boolean_mask(codes.with_flat_values(changed), codes.with_flat_values(~gone))
    return tf.strings.unicode_encode(encoded, "UTF-8")


@lru_cache(maxsize=1)
def _kana() -> np.ndarray:
    """Full-width kana of each half-width one: int32 [kana, 3], bare, voiced, half voiced; 0 where there is none."""
    table = np.zeros((_LAST_KANA - _FIRST_KANA + 1, 3), np.int32)
    for row, code in enumerate(range(_FIRST_KANA, _LAST_KANA + 1)):
        for column, mark in enumerate(("", "\u3099", "\u309a")):
            melted = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", chr(code)) + mark)
            if len(melted) == 1:
                table[row, column] = ord(melted)
    return table
