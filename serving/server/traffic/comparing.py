"""How alike two ranked answers are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PLACES = 10


class Likeness(NamedTuple):
    """One row answered twice.

    Attributes:
        overlap: items that both have among their first ten, divided by the longer one's number of items (at most ten).
        correlation: Kendall's tau over the items that both have; None for fewer than two.
    """

    overlap: float
    correlation: float | None


def likeness(served: np.ndarray, shadow: np.ndarray) -> list[Likeness]:
    """Compares the answers of two versions row by row.

    Args:
        served, shadow: item ids as bytes, object [R, k], b"" = empty place.

    Returns:
        one per row in which either has an item.
    """
    rows = zip(served[:, :PLACES].tolist(), shadow[:, :PLACES].tolist(), strict=True)
    found = [_of([item for item in mine if item], [item for item in other if item]) for mine, other in rows]
    return [one for one in found if one is not None]


def _of(mine: list[bytes], other: list[bytes]) -> Likeness | None:
    if not mine and not other:
        return None
    there = {item: number for number, item in enumerate(other)}
    places = [there[item] for item in mine if item in there]
    overlap = len(places) / max(len(mine), len(other))
    pairs = len(places) * (len(places) - 1) // 2
    if not pairs:
        return Likeness(overlap, None)
    rising = sum(places[i] < places[j] for i in range(len(places)) for j in range(i + 1, len(places)))
    return Likeness(overlap, 2 * rising / pairs - 1)
