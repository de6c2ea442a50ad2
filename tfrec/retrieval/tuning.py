"""Weights of scorers chosen on the dev split, by a coordinate search over a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.retrieval.pool import Pool
from tfrec.retrieval.quality import Quality

# Candidate weights of one scorer, as multiples of the largest of the others.
_GRID = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
_LEAST_GAIN = 1e-4  # smaller steps than this are luck, and zero weights make a smaller export
_MOST_SWEEPS = 8


_USUAL = {
    "search": ("dense", "lexical"), "recommendation": ("dense", "collaborative"), "nothing": ("popularity", "recency"),
}  # fmt: skip


def usual_weights(task: str, labels: Sequence[str]) -> np.ndarray:
    """Equal weights of the scorers that are made for a task, float64 [S]; 0 for all others.

    The sum of the z-scores of both ranks better than either on most shops, which a handful of requests cannot disprove.
    """
    chosen = np.array([label in _USUAL[task] for label in labels], np.float64)
    return chosen / max(chosen.sum(), 1.0)


def alone_quality(pool: Pool, quality: Quality) -> np.ndarray:
    """Per request with each scorer alone, float64 [S, Q]."""
    return np.stack([quality(pool, weights) for weights in np.eye(pool.parts.shape[2])])


@dataclass(frozen=True)
class Tuned:
    """The outcome for one task.

    Attributes:
        weights: float64 [S], not negative, sum 1.
        quality: per request with the weights, float64 [Q].
        alone: per request with each scorer alone, float64 [S, Q].
    """

    weights: np.ndarray
    quality: np.ndarray
    alone: np.ndarray

    @property
    def best_alone(self) -> int:
        """The scorer that is best by itself."""
        return int(self.alone.mean(axis=1).argmax())


def tune(
    pool: Pool,
    quality: Quality,
    prior: np.ndarray | None = None,
    prior_requests: float = 0.0,
    among: Sequence[int] | None = None,
) -> Tuned:
    """Searches weights that are best on average, starting from the best scorer alone and from equal weights.

    One weight after the other is tried at every value of the grid, until no single change helps. A request without any
    right item says nothing and must not be in the pool.

    Args:
        pool: candidates of at least one request.
        quality: (pool, weights float [S]) -> float64 [Q].
        prior: float64 [S], sum 1: weights that are drawn towards, or None.
        prior_requests: they count as much as so many requests of the pool.
        among: numbers of the scorers that may count, at least one; None allows all.

    Returns:
        the best weights; without a prior never worse than the best allowed scorer alone on this pool.
    """
    single = np.eye(pool.parts.shape[2])
    allowed = list(range(len(single)) if among is None else among)
    alone = alone_quality(pool, quality)
    tried: dict[bytes, float] = {}

    def mean(weights: np.ndarray) -> float:
        weights = weights / weights.sum()
        key = np.round(weights, 6).tobytes()
        if key not in tried:
            tried[key] = float(quality(pool, weights).mean())
        return tried[key]

    starts = [single[allowed[int(alone[allowed].mean(axis=1).argmax())]], single[allowed].sum(axis=0)]
    best, best_mean = starts[0], mean(starts[0])
    for start in starts:
        weights, value = _climb(start, mean, allowed)
        if value > best_mean + _LEAST_GAIN:
            best, best_mean = weights, value
    best = best / best.sum()
    if prior is not None and prior.any():
        requests = len(pool.items)
        best = (requests * best + prior_requests * prior) / (requests + prior_requests)
    return Tuned(best, quality(pool, best), alone)


def held_out(
    pool: Pool,
    quality: Quality,
    seed: int,
    prior: np.ndarray | None = None,
    prior_requests: float = 0.0,
    among: Sequence[int] | None = None,
    folds: int = 5,
) -> np.ndarray:
    """What weights reach on requests they were not chosen on: float64 [Q].

    Each fifth of the requests is ranked with the weights that are best on the other four; with few requests the mean
    that `tune` reaches flatters.

    Args:
        pool: candidates of at least two requests.
        quality: (pool, weights float [S]) -> float64 [Q].
        seed: deals the requests into folds.
        prior: see tune.
        prior_requests: see tune.
        among: see tune.
        folds: number of parts.
    """
    count = len(pool.items)
    reached = np.zeros(count)
    fold = np.random.default_rng(seed).permutation(count) % min(folds, count)
    for number in range(min(folds, count)):
        weights = tune(pool.some(np.flatnonzero(fold != number)), quality, prior, prior_requests, among).weights
        inside = np.flatnonzero(fold == number)
        reached[inside] = quality(pool.some(inside), weights)
    return reached


def surely_better(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one outcome float [Q] of the same requests lies above another by more than a standard error.

    Source: Breiman et al. 1984 (the one-standard-error rule: what is simpler wins unless it is worse by that much).
    """
    gain = one - other
    return len(gain) > 1 and bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _climb(
    weights: np.ndarray, mean: Callable[[np.ndarray], float], allowed: Sequence[int]
) -> tuple[np.ndarray, float]:
    value = mean(weights)
    for _ in range(_MOST_SWEEPS):
        before = value
        for number in allowed:
            others = np.delete(weights, number)
            if not others.any():
                continue
            for factor in _GRID:
                candidate = weights.copy()
                candidate[number] = factor * others.max()
                reached = mean(candidate)
                if reached > value + _LEAST_GAIN:
                    weights, value = candidate, reached
        if value <= before:
            break
    return weights, value
