"""Which characters make words, and which scripts put no spaces between them: for the index and for the graph alike."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1100, 0x11FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x3130, 0x318F), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
"""First and last code points of scripts written without spaces between words: Han, kana, Thai, Lao, Khmer, Myanmar;
and of Hangul, which joins particles to words."""


@lru_cache(maxsize=1)
def marks() -> tuple[int, ...]:
    """Code points of the combining marks, which belong to the word they stand in: Indic and Thai words need them."""
    codes = (*range(0x300, 0x20000), *range(0xE0000, 0xE1000))  # between them are ideographs or nothing
    return tuple(code for code in codes if unicodedata.category(chr(code)) in ("Mn", "Mc"))
