"""Weights of scorers from requests with known answers: an average of likely mixtures, drawn towards the usual one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfrec.choosing.average import likely_average, mixtures
from tfrec.choosing.shrinkage import drawn
from tfrec.retrieval.pool import Pool
from tfrec.retrieval.quality import Quality

_USUAL = {
    "search": ("dense", "lexical"), "recommendation": ("dense", "collaborative"), "nothing": ("popularity", "recency"),
}  # fmt: skip


def usual_weights(task: str, labels: Sequence[str]) -> NDArray[np.float64]:
    """Equal weights of the scorers that are made for a task, float64 [S]; 0 for all others.

    Their sum ranks better than either on most shops, and on three labelled ones all shares of the dense scorer from .35
    to .55 rank alike: a handful of requests has nothing to choose between, and its best share is worse than the half.
    """
    chosen = np.array([label in _USUAL[task] for label in labels], np.float64)
    return chosen / max(chosen.sum(), 1.0)


def alone_quality(pool: Pool, quality: Quality) -> NDArray[np.float64]:
    """Per request with each scorer alone, float64 [S, Q]."""
    return np.stack([quality(pool, weights) for weights in np.eye(pool.parts.shape[2])])


class Weighing:
    """Every mixture of some scorers, tried on every request of a pool; any of the requests may then choose.

    A request without any right item says nothing and must not be in the pool. Scorers that say nothing about any
    request get no weight.

    Args:
        pool: candidates of requests.
        quality: (pool, weights float [S]) -> float64 [Q].
        usual: float64 [S], weights that need no request; scorers beyond `among` are ignored, and where none is left
            all of `among` count alike.
        prior_requests: the usual weights count as much as so many requests.
        among: numbers of the scorers that may count, at least one; None allows all.
    """

    def __init__(
        self,
        pool: Pool,
        quality: Quality,
        usual: NDArray[np.float64],
        prior_requests: float,
        among: Sequence[int] | None = None,
    ) -> None:
        self._pool, self._quality, self._prior_requests = pool, quality, prior_requests
        scorers = pool.parts.shape[2]
        allowed = list(range(scorers)) if among is None else list(among)
        speaking = [number for number in allowed if pool.parts[:, :, number].any()] or allowed
        self._settings = np.zeros([len(shares := mixtures(len(speaking))), scorers])
        self._settings[:, speaking] = shares
        prior = np.zeros(scorers)
        prior[allowed] = usual[allowed]
        if not prior.any():
            prior[speaking] = 1.0
        self.usual = prior / prior.sum()
        self._reached = np.stack([quality(pool, weights) for weights in self._settings])

    def weights(self, rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """The weights that some of the requests choose, float64 [S], sum 1.

        Args:
            rows: numbers of the requests, int64 [R]; None takes all; none at all gives the usual weights.
        """
        rows = np.arange(len(self._pool.items)) if rows is None else rows
        if not len(rows):
            return self.usual
        chosen = likely_average(self._settings, self._reached[:, rows])
        return drawn(chosen, self.usual, len(rows), self._prior_requests)

    def reached(self, weights: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What weights float64 [S] reach for some of the requests, float64 [R]."""
        return self._quality(self._pool.some(rows), weights)
