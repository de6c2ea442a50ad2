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
    least = [min(truth.values()) for truth in truths]
    usable = [n for n, found in enumerate(candidates) if len(_wrong(truths[n], found, least[n])) >= size - 1]
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
    return np.append(right, draw.choice(_wrong(truth, candidates, truth[right]), size - 1, replace=False)).astype(
        np.int32
    )


def _wrong(truth: Mapping[int, float], candidates: np.ndarray, gain: float) -> np.ndarray:
    """Candidates that gain less."""
    return candidates[np.array([row >= 0 and truth.get(row, 0.0) < gain for row in candidates.tolist()], bool)]
