"""Parts of a catalogue: rows first <= row < end, for servers that each hold one (shards)."""

from __future__ import annotations

import numpy as np


def parts_of(size: int, count: int) -> list[tuple[int, int]]:
    """(first, end) of as equal parts as there can be.

    Args:
        size: N, number of items.
        count: number of parts, 1..N.
    """
    return [(size * number // count, size * (number + 1) // count) for number in range(count)]


def part_of_rows(starts: np.ndarray, items: np.ndarray, first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Of rows of items (row r's are at starts[r] .. starts[r + 1]) those that lie in first <= item < end: the new
    starts int64, and which items stay, bool."""
    inside = (items >= first) & (items < end)
    return np.concatenate([[0], np.cumsum(inside)])[starts].astype(np.int64), inside
