"""Of many settings not the best by a few queries, but their average, each as likely as the queries make it."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LEAST_ERROR = 1e-3  # two settings that rank all queries alike are not told apart by rounding
_MOST_MIXTURES = 300


def likelihood(reached: ArrayLike) -> NDArray[np.float64]:
    """How likely each setting is the best one, up to a factor: `exp(-gap^2 / (2 se^2))`, sum 1.

    The gap is what a setting lacks to the best mean, se the standard error of that paired difference. With few queries
    many settings stay likely, with many only those that cannot be told from the best; one query alone tells nothing.

    Args:
        reached: float [S, Q], what each of S settings reaches for each query.

    Returns:
        float64 [S].
    """
    table = np.asarray(reached, np.float64)
    settings, queries = table.shape
    if queries < 2:
        return np.full(settings, 1.0 / settings)
    means = table.mean(axis=1)
    best = int(means.argmax())
    error = (table[best] - table).std(axis=1, ddof=1) / np.sqrt(queries) + _LEAST_ERROR
    share = np.exp(-0.5 * ((means[best] - means) / error) ** 2)
    return share / share.sum()


def likely_average(settings: ArrayLike, reached: ArrayLike) -> NDArray[np.float64]:
    """The average of settings by `likelihood`.

    Args:
        settings: float [S, ...], the values of each.
        reached: float [S, Q].

    Returns:
        float64 [...].
    """
    return np.tensordot(likelihood(reached), np.asarray(settings, np.float64), 1)


def mixtures(parts: int) -> NDArray[np.float64]:
    """All ways to share 1 among `parts` in equal steps, float64 [S, parts]: steps of 1/20 for two, of 1/10 for three,
    and so on, so that there are at most 300 (or one of each part alone, and the equal one)."""
    if parts == 1:
        return np.ones([1, 1])
    for steps in (20, 10, 8, 6, 5, 4, 3, 2):
        rows = [
            np.diff([-1, *bars, steps + parts - 1]) - 1
            for bars in itertools.combinations(range(steps + parts - 1), parts - 1)
        ] if _count(steps, parts) <= _MOST_MIXTURES else []  # fmt: skip
        if rows:
            return np.array(rows, np.float64) / steps
    return np.vstack([np.eye(parts), np.full([1, parts], 1.0 / parts)])


def _count(steps: int, parts: int) -> int:
    import math

    return math.comb(steps + parts - 1, parts - 1)
