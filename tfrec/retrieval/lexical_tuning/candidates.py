"""What each setting reaches for each labelled query, computed on few candidates instead of the whole catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tfrec.retrieval.lexical_tuning.configuration import Configuration
from tfrec.retrieval.lexical_tuning.counts import FieldCounts
from tfrec.retrieval.lexical_tuning.mixture import postings, row_factors

CUT = 10
_DEPTH = 100
_SEEDS = 6
_OTHERS = 0.05  # weight of the other fields where candidates are found by one of them


class Candidates:
    """The items that any setting may rank first for the labelled queries, with their postings.

    Candidates of a query are the best hundred of some very different settings, and the items judged right.

    Args:
        counts: of the catalogue.
        judgments: Q queries -> item -> gain, not negative.
        configurations: C settings, the first of which find candidates.
    """

    def __init__(
        self,
        counts: FieldCounts,
        judgments: Sequence[tuple[str, Mapping[int, float]]],
        configurations: Sequence[Configuration],
    ) -> None:
        seeds = [*configurations[:_SEEDS], *_one_field_each(len(counts.names))]
        factors = [row_factors(counts, seed) for seed in seeds]
        found = [_of_query(counts, query, gains, seeds, factors) for query, gains in judgments]
        width = max([1, *(len(items) for items, *_ in found)])
        self._shape = (len(found), width)
        self._gains = np.zeros(self._shape)
        self._ideal = np.zeros(len(found))
        discounts = 1 / np.log2(np.arange(CUT) + 2)
        for query, (items, *_) in enumerate(found):
            gains = judgments[query][1]
            self._gains[query, : len(items)] = [gains.get(int(item), 0.0) for item in items]
            best = np.sort(np.fromiter(gains.values(), float, len(gains)))[::-1][:CUT]
            self._ideal[query] = best @ discounts[: len(best)]
        self._slots = np.concatenate(
            [np.zeros(0, np.int64), *(query * width + slots for query, (_, slots, _, _) in enumerate(found))]
        )
        places = np.concatenate([np.zeros(0, np.int64), *(places for _, _, places, _ in found)])
        self._rows = np.concatenate([np.zeros(0, np.int64), *(rows for _, _, _, rows in found)])
        self._counts = counts
        self._frequencies = counts.frequencies[:, places]
        self._lengths = counts.lengths[:, counts.items[places]]

    def quality(self, configuration: Configuration) -> np.ndarray:
        """nDCG@10 of every query, linear gains, unjudged items 0: float64 [Q]; 0 for a query without a right item."""
        added = row_factors(self._counts, configuration)[self._rows]
        added *= postings(configuration, self._frequencies, self._lengths)
        cells = self._shape[0] * self._shape[1]
        scores = np.bincount(self._slots, added, minlength=cells).reshape(self._shape)
        best = _best(scores, min(CUT, self._shape[1]))
        gains = np.take_along_axis(self._gains, best, 1) * (np.take_along_axis(scores, best, 1) > 0)
        return gains @ (1 / np.log2(np.arange(gains.shape[1]) + 2)) / np.where(self._ideal > 0, self._ideal, np.inf)


def opened(counts: FieldCounts, query: str) -> tuple[np.ndarray, np.ndarray]:
    """(places of the postings that a query opens, the row of each), int64 [P]; repeated words repeat them."""
    rows = counts.rows(query)
    parts = [np.arange(counts.starts[row], counts.starts[row + 1]) for row in rows]
    lengths = [len(part) for part in parts]
    return np.concatenate([np.zeros(0, np.int64), *parts]), np.repeat(np.array(rows, np.int64), lengths)


def _one_field_each(fields: int) -> list[Configuration]:
    b = np.full(fields, 0.6)
    return [Configuration(np.maximum(np.eye(fields)[field], _OTHERS), b, 0.5) for field in range(fields)]


def _of_query(
    counts: FieldCounts,
    query: str,
    gains: Mapping[int, float],
    seeds: Sequence[Configuration],
    factors: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(items int64 [L] rising, and for every posting: its item's place among them, its place in counts, its row)."""
    places, rows = opened(counts, query)
    items, slots = np.unique(counts.items[places], return_inverse=True)
    kept = np.isin(items, [item for item, gain in gains.items() if gain > 0])
    frequencies, lengths = counts.frequencies[:, places], counts.lengths[:, counts.items[places]]
    for seed, factor in zip(seeds, factors, strict=True):
        scores = np.bincount(slots, factor[rows] * postings(seed, frequencies, lengths), minlength=len(items))
        if len(items) > _DEPTH:
            kept |= scores >= np.partition(scores, -_DEPTH)[-_DEPTH]
        else:
            kept[:] = True
    number = np.cumsum(kept) - 1
    wanted = kept[slots]
    return items[kept], number[slots[wanted]], places[wanted], rows[wanted]


def _best(scores: np.ndarray, cut: int) -> np.ndarray:
    """Columns of the greatest scores of each row, best first, equal ones by column: int64 [Q, cut]."""
    least = -np.partition(-scores, cut - 1, axis=1)[:, cut - 1 : cut]
    # Equal scores at the border: an unstable partition would take any of them.
    order = np.argsort(np.where(scores >= least, -scores, np.inf), axis=1, kind="stable")
    return order[:, :cut]
