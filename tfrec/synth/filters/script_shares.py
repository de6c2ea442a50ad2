"""How much of a text is written in which script."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Code points of letters by script; Indic scripts by their blocks. What is not listed says nothing about the language.
_RANGES = {
    "Latin": [(0x61, 0x7A), (0x41, 0x5A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0x24F), (0x1E00, 0x1EFF)],
    "Greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "Cyrillic": [(0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)],
    "Armenian": [(0x530, 0x58F)],
    "Hebrew": [(0x590, 0x5FF)],
    "Arabic": [(0x600, 0x65F), (0x66A, 0x6EF), (0x6FA, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF)],
    "Devanagari": [(0x900, 0x965), (0x970, 0x97F)],
    "Bengali": [(0x980, 0x9E5), (0x9F0, 0x9FF)],
    "Gurmukhi": [(0xA00, 0xA65), (0xA70, 0xA7F)],
    "Gujarati": [(0xA80, 0xAE5), (0xAF0, 0xAFF)],
    "Tamil": [(0xB80, 0xBE5), (0xBF0, 0xBFF)],
    "Telugu": [(0xC00, 0xC65), (0xC70, 0xC7F)],
    "Kannada": [(0xC80, 0xCE5), (0xCF0, 0xCFF)],
    "Malayalam": [(0xD00, 0xD65), (0xD70, 0xD7F)],
    "Thai": [(0xE00, 0xE4F)],
    "Lao": [(0xE80, 0xECF), (0xEDA, 0xEFF)],
    "Myanmar": [(0x1000, 0x103F), (0x1050, 0x108F)],
    "Georgian": [(0x10A0, 0x10FF)],
    "Ethiopic": [(0x1200, 0x139F)],
    "Khmer": [(0x1780, 0x17DF)],
    "Hangul": [(0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF)],
    "Kana": [(0x3040, 0x30FF), (0x31F0, 0x31FF)],
    "Han": [(0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)],
}
SCRIPTS = tuple(_RANGES)
_SORTED = sorted((low, high, number) for number, name in enumerate(SCRIPTS) for low, high in _RANGES[name])
_LOW, _HIGH, _SCRIPT = (np.array(column, np.int64) for column in zip(*_SORTED, strict=True))


def script_counts(texts: Sequence[str]) -> np.ndarray:
    """Letters of each script: int64 [R, len(SCRIPTS)] for R texts."""
    joined = "".join(texts).encode("utf-32-le", "replace")
    codes = np.frombuffer(joined, np.uint32).astype(np.int64)
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    place = np.maximum(np.searchsorted(_LOW, codes, side="right") - 1, 0)
    letter = (codes >= _LOW[place]) & (codes <= _HIGH[place])
    cells = np.repeat(np.arange(len(texts)), lengths)[letter] * len(SCRIPTS) + _SCRIPT[place[letter]]
    return np.bincount(cells, minlength=len(texts) * len(SCRIPTS)).reshape(len(texts), len(SCRIPTS))
