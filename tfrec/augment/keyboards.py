"""Which keys lie beside which, for the slips of a finger."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np

from tfrec.augment.randomness import integers
from tfrec.tensorflow_setup import tf

LAYOUTS: dict[str, tuple[str, str, str]] = {
    "latin": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "cyrillic": ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    "greek": (" ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ"),
    "hebrew": ("  קראטוןםפ", "שדגכעיחלךף", "זסבהנמצתץ"),
    "arabic": ("ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤر ىةوزظ"),
}
_INDENTS = (0.0, 0.25, 0.75)  # of the rows of letters, in keys
_REACH = 1.26  # keys: the neighbours left and right and the two above and below
_MOST = 8
_TABLE_SIZE = 0x700  # the letters of all layouts lie below


def near_letters(characters: Any, keys: Any, salt: int) -> Any:
    """For each character a letter whose key lies beside its own; a letter with an accent has the key of the bare one.

    Args:
        characters: string [W]; their first code point counts.
        keys: uint64 [W].
        salt: see randomness.derive.

    Returns:
        string [W], in the case of the character; "" where it has no key on any layout.
    """
    numbers, letters, counts = _tables()
    # all letters of the layouts are of one or two bytes, so that a decoder is not needed
    data = tf.cast(tf.io.decode_raw(characters, tf.uint8, fixed_length=2), tf.int32)
    first, second = data[:, 0], data[:, 1]
    two_bytes = tf.where((first >= 0xC0) & (first < 0xE0), (first - 0xC0) * 64 + second - 0x80, 0)
    codes = tf.where(first < 0x80, first, two_bytes)
    number = tf.gather(tf.constant(numbers), tf.where(codes < _TABLE_SIZE, codes, 0))
    choice = integers(keys, salt, tf.gather(tf.constant(counts), number))
    return tf.gather(tf.constant(letters), number * _MOST + choice)


def neighbours_of(letter: str) -> str:
    """The letters whose keys lie beside that of a lower-case letter; "" if it is on no layout."""
    for layout in LAYOUTS.values():
        places = {
            key: (row, indent + column)
            for row, (keys, indent) in enumerate(zip(layout, _INDENTS, strict=True))
            for column, key in enumerate(keys)
            if key != " "
        }
        if letter in places:
            row, column = places[letter]
            distances = {k: float(np.hypot(r - row, c - column)) for k, (r, c) in places.items() if k != letter}
            return "".join(k for k, distance in distances.items() if distance <= _REACH)
    return ""


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int32 [_TABLE_SIZE], the number of each code point's key; that key's letters [n * _MOST]; how many [n]."""
    numbers, rows = np.zeros(_TABLE_SIZE, np.int32), [""]
    known: dict[str, int] = {}
    for code in range(1, _TABLE_SIZE):
        bare = unicodedata.normalize("NFD", chr(code))[0]
        near = neighbours_of(bare.lower()) if unicodedata.category(bare).startswith("L") else ""
        if not near:
            continue
        if bare.isupper():
            near = "".join(letter.upper() for letter in near)
        if near not in known:
            known[near] = len(rows)
            rows.append(near)
        numbers[code] = known[near]
    letters = [list(row) + [""] * (_MOST - len(row)) for row in rows]
    flat = np.array([letter for row in letters for letter in row], dtype=object)
    return numbers, flat, np.array([len(row) for row in rows], np.int32)
