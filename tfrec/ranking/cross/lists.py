"""What a cross-encoder learns from: for each training query a right item among hard wrong ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Lists(NamedTuple):
    """Q queries with L items each.

    Attributes:
        queries: numbers of the queries, int64 [Q].
        items: rows of the catalogue, int32 [Q, L].
        target: shares of what is right, float32 [Q, L]; each row sums up to 1.
    """

    queries: np.ndarray
    items: np.ndarray
    target: np.ndarray


def lists(
    truths: Sequence[Mapping[int, float]], candidates: np.ndarray, batch: int, size: int, seed: int
) -> Iterator[Lists]:
    """Batches without end, every query once in each pass.

    The wrong items are drawn from what the first stage ranks high and the judges did not rate as high as the right one:
    others it tells apart already (Gao et al. 2021, arXiv 2101.08751).

    Args:
        truths: per query row -> gain above 0.
        candidates: per query the best rows by the first stage, int32 [Q, K], -1 in empty places.
        batch: queries.
        size: L, items of a query.
        seed: of all that is drawn.
    """
    draw = np.random.default_rng(seed)
    usable = [number for number, found in enumerate(candidates) if len(_wrong(truths[number], found, 0.0)) >= size - 1]
    waiting: list[int] = []
    while usable:
        while len(waiting) < batch:
            waiting += draw.permutation(usable).tolist()
        chosen, waiting = waiting[:batch], waiting[batch:]
        rows = np.stack([_one(truths[number], candidates[number], size, draw) for number in chosen])
        own = zip([truths[number] for number in chosen], rows.tolist(), strict=True)
        gains = np.array([[truth.get(row, 0.0) for row in found] for truth, found in own])
        yield Lists(np.array(chosen), rows, (gains / gains.sum(axis=1, keepdims=True)).astype(np.float32))


def _one(truth: Mapping[int, float], candidates: np.ndarray, size: int, draw: np.random.Generator) -> np.ndarray:
    right = int(draw.choice(list(truth)))
    wrong = _wrong(truth, candidates, truth[right])
    if len(wrong) < size - 1:  # nearly all candidates are better than this one
        right = max(truth, key=lambda row: truth[row])
        wrong = _wrong(truth, candidates, truth[right])
    if len(wrong) < size - 1:
        wrong = _wrong(truth, candidates, np.inf, right)
    return np.append(right, draw.choice(wrong, size - 1, replace=False)).astype(np.int32)


def _wrong(truth: Mapping[int, float], candidates: np.ndarray, gain: float, right: int = -1) -> np.ndarray:
    """Candidates that gain less, or none at all; never the right one."""
    below = [truth.get(row, 0.0) < gain or row not in truth for row in candidates.tolist()]
    return candidates[np.array(below, bool) & (candidates >= 0) & (candidates != right)]
