"""Which columns hold attributes, and the phrases in them that shoppers would type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from tfrec.synth.templates.chunks import is_measure
from tfrec.synth.templates.words import Words

RESERVED = frozenset({"item_id", "title", "text", "image", "description", "brand", "category"})
_MOST_CHARACTERS = 30  # of the median value; longer ones are prose
_MOST_DISTINCT = 0.5  # values per filled row; more are names or codes
_LEAST_ITEMS, _LONGEST = 3, 3
_NO_BRANDS = frozenset({"generic", "unbranded", "unknown", "none", "n/a", "na", "no brand", "oem", "其他", "无"})


def attribute_columns(items: pl.DataFrame) -> list[str]:
    """Columns of short values that many items share: colour, material, size ..."""
    found = []
    for name, kind in items.schema.items():
        if name in RESERVED or kind != pl.String:
            continue
        filled = items[name].filter(items[name] != "")
        lengths = filled.str.len_chars().to_numpy()
        if len(lengths) < _LEAST_ITEMS or float(np.median(lengths)) > _MOST_CHARACTERS:
            continue
        if filled.n_unique() <= max(2.0, _MOST_DISTINCT * len(lengths)):
            found.append(name)
    return found


def brand_words(value: str, words: Sequence[Sequence[str]]) -> Words:
    """A brand as a phrase; () where the field says that there is none."""
    return () if value.strip().lower() in _NO_BRANDS else tuple(word for segment in words for word in segment)


class Values:
    """The usual phrases of one column: "light blue" in "Light Blue Large 3mil 100pcs".

    Args:
        rows: segments of words of every item's value.
    """

    def __init__(self, rows: Sequence[Sequence[Sequence[str]]]) -> None:
        self._counts: Counter[Words] = Counter()
        for row in rows:
            self._counts.update({phrase for segment in row for phrase in _phrases(segment)})

    def of(self, row: Sequence[Sequence[str]]) -> list[Words]:
        """The longest phrase of a value that enough items share, and its last word ("blue"); [] if there is none."""
        usual = [
            phrase for segment in row for phrase in _phrases(segment) if self._counts[phrase] >= _LEAST_ITEMS
        ]  # fmt: skip
        if not usual:
            return []
        best = max(usual, key=lambda phrase: (len(phrase), self._counts[phrase]))
        last = best[-1:]
        return [best, last] if len(best) > 1 and self._counts[last] >= self._counts[best] else [best]


def _phrases(segment: Sequence[str]) -> list[Words]:
    return [
        tuple(segment[start:end])
        for start in range(len(segment))
        for end in range(start + 1, min(start + _LONGEST, len(segment)) + 1)
        if not any(map(is_measure, segment[start:end]))
    ]
