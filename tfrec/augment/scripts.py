"""What characters are to a splitter of texts: white space, characters standing for themselves, letters of words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

OTHER, WHITE, SINGLE = 0, 1, 2
_TABLE_SIZE = 0x20000  # above lie the rarer Han characters (to 0x3FFFF) and no white space
_WHITE_CHARACTERS = [0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0x85]
_WHITE_CHARACTERS += [*range(0x09, 0x0E), *range(0x1C, 0x20)]
_SINGLE_RANGES = (
    # Thai, Lao, Myanmar and Khmer without their digits and currency signs
    (0x0E01, 0x0E3A), (0x0E40, 0x0E4F), (0x0E81, 0x0ECF), (0x0EDA, 0x0EDF), (0x1000, 0x103F), (0x1050, 0x108F),
    (0x1780, 0x17DA),
    # Hangul, Bopomofo, Hiragana, Katakana, Han
    (0x1100, 0x11FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x303C), (0x3041, 0x31BF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC), (0x1B000, 0x1B16F),
    # punctuation of East Asian width: it stands between characters, not at the end of a word
    (0x3001, 0x3003), (0x3008, 0x3020), (0x3030, 0x3030), (0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40),
    (0xFF5B, 0xFF65),
)  # fmt: skip


def kinds_of(codes: Any) -> Any:
    """The kind of each code point (OTHER, WHITE or SINGLE): int32 [n] -> uint8 [n]."""
    inside = tf.gather(tf.constant(_table()), tf.minimum(codes, _TABLE_SIZE - 1))
    beyond = tf.where(codes < 0x40000, tf.constant(SINGLE, tf.uint8), tf.constant(OTHER, tf.uint8))
    return tf.where(codes < _TABLE_SIZE, inside, beyond)


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """uint8 [_TABLE_SIZE]: the kind of every code point below."""
    table = np.full(_TABLE_SIZE, OTHER, np.uint8)
    for first, last in _SINGLE_RANGES:
        table[first : last + 1] = SINGLE
    table[_WHITE_CHARACTERS] = WHITE
    return table
