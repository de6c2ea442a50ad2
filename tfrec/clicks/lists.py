"""Shown lists and their clicks as flat arrays, and the same counted by pair and position."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sums(of: NDArray[Any], weights: NDArray[Any], size: int) -> NDArray[np.float64]:
    """What falls on each of `size` numbers, float64 [size]."""
    return np.asarray(np.bincount(of, weights, size), np.float64)


@dataclass(frozen=True)
class Cells:
    """Impressions and clicks counted by pair and position, which is all that rates and position-based models need.

    Attributes:
        pair: int64 [C].
        position: int64 [C], from 0.
        shown: float64 [C], impressions by weight.
        clicked: float64 [C], those with a click.
    """

    pair: NDArray[np.int64]
    position: NDArray[np.int64]
    shown: NDArray[np.float64]
    clicked: NDArray[np.float64]


@dataclass(frozen=True)
class Lists:
    """S lists as shown, L rows in all: the rows of a list stand together, from its top down.

    Attributes:
        pair: int32 [L], number of the (query, item).
        position: int16 [L], place in the list, from 0; rising within a list.
        clicked: bool [L].
        start: int64 [S + 1], where each list begins; the last one is L.
        weight: float64 [S], what a list counts (1, or less with age).
        pairs: how many pairs there are, P.
    """

    pair: NDArray[np.int32]
    position: NDArray[np.int16]
    clicked: NDArray[np.bool_]
    start: NDArray[np.int64]
    weight: NDArray[np.float64]
    pairs: int

    @property
    def size(self) -> int:
        """The number of lists, S."""
        return len(self.start) - 1

    @property
    def depth(self) -> int:
        """One more than the last position."""
        return int(self.position.max()) + 1 if len(self.position) else 0

    @functools.cached_property
    def row_weight(self) -> NDArray[np.float64]:
        """The weight of each row's list, float64 [L]."""
        return np.repeat(self.weight, np.diff(self.start))

    @functools.cached_property
    def cells(self) -> Cells:
        """The same, counted by pair and position."""
        depth = max(self.depth, 1)
        keys, place = np.unique(self.pair.astype(np.int64) * depth + self.position, return_inverse=True)
        shown = sums(place, self.row_weight, len(keys))
        clicked = sums(place, self.row_weight * self.clicked, len(keys))
        return Cells(keys // depth, keys % depth, shown, clicked)

    def of(self, chosen: NDArray[np.bool_]) -> Lists:
        """Some of the lists.

        Args:
            chosen: bool [S].

        Returns:
            those lists; pairs keep their numbers.
        """
        lengths = np.diff(self.start)
        rows = np.repeat(chosen, lengths)
        start = np.concatenate([[0], np.cumsum(lengths[chosen])]).astype(np.int64)
        return Lists(
            self.pair[rows], self.position[rows], self.clicked[rows], start, self.weight[chosen], self.pairs
        )  # fmt: skip

    def blocks(self, lists: int = 100_000) -> Iterator[Block]:
        """The lists in rectangles of at most so many, for what runs along them in bounded memory."""
        lengths = np.diff(self.start)
        for first in range(0, self.size, lists):
            last = min(first + lists, self.size)
            some, begin = lengths[first:last], int(self.start[first])
            width = int(some.max()) if len(some) else 0
            there = np.arange(width) < some[:, None]
            pair = np.zeros(there.shape, np.int32)
            clicked = np.zeros(there.shape, bool)
            rows = slice(begin, int(self.start[last]))
            pair[there], clicked[there] = self.pair[rows], self.clicked[rows]
            yield Block(pair, clicked, there, self.weight[first:last])


@dataclass(frozen=True)
class Block:
    """Some lists as a rectangle of B lists and their R places; places beyond a list's end hold pair 0 and no click.

    Attributes:
        pair: int32 [B, R].
        clicked: bool [B, R].
        there: bool [B, R], whether the list has this place.
        weight: float64 [B].
    """

    pair: NDArray[np.int32]
    clicked: NDArray[np.bool_]
    there: NDArray[np.bool_]
    weight: NDArray[np.float64]

    @functools.cached_property
    def last_click(self) -> NDArray[np.int64]:
        """The place of the last click, -1 without one, int64 [B]."""
        width = self.clicked.shape[1]
        last = width - 1 - np.argmax(self.clicked[:, ::-1], axis=1)
        return np.where(self.clicked.any(axis=1), last, -1)
