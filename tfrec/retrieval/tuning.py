"""Weights of scorers chosen on the dev split, by a coordinate search over a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.retrieval.pool import Pool

SEARCH_METRIC, RECOMMENDATION_METRIC = "nDCG@10", "mean of Recall@20 and nDCG@20"
# Candidate weights of one scorer, as multiples of the largest of the others.
_GRID = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
_LEAST_GAIN = 1e-4  # smaller steps than this are luck, and zero weights make a smaller export
_MOST_SWEEPS = 8


def ndcg(pool: Pool, weights: np.ndarray, cut: int) -> np.ndarray:
    """nDCG with linear gains over all right items, float64 [Q]; 0 for a request without any.

    Args:
        pool: the candidates.
        weights: float [S] or [Q, S].
        cut: places that count.
    """
    return _ndcg(pool, pool.ranked_gains(weights, cut), cut)


def recall(pool: Pool, weights: np.ndarray, cut: int) -> np.ndarray:
    """Right items found among the first places / the most that can be found there, float64 [Q]."""
    return _recall(pool, pool.ranked_gains(weights, cut), cut)


def search_quality(pool: Pool, weights: np.ndarray) -> np.ndarray:
    """nDCG@10 of each query, float64 [Q]."""
    return ndcg(pool, weights, 10)


def recommendation_quality(pool: Pool, weights: np.ndarray) -> np.ndarray:
    """The mean of Recall@20 and nDCG@20 of each shopper, float64 [Q]."""
    gains = pool.ranked_gains(weights, 20)
    return 0.5 * (_recall(pool, gains, 20) + _ndcg(pool, gains, 20))


def _ndcg(pool: Pool, gains: np.ndarray, cut: int) -> np.ndarray:
    discounts = 1.0 / np.log2(np.arange(cut) + 2)
    ideal = pool.ideal[:, :cut] @ discounts[: pool.ideal.shape[1]]
    return (gains @ discounts[: gains.shape[1]]) / np.maximum(ideal, 1e-12)


def _recall(pool: Pool, gains: np.ndarray, cut: int) -> np.ndarray:
    right = (pool.ideal[:, :cut] > 0).sum(axis=1)
    return (gains > 0).sum(axis=1) / np.maximum(right, 1)


QUALITY: dict[str, Callable[[Pool, np.ndarray], np.ndarray]] = {
    "search": search_quality,
    "recommendation": recommendation_quality,
}
METRIC = {"search": SEARCH_METRIC, "recommendation": RECOMMENDATION_METRIC}
_OWN = {"search": "lexical", "recommendation": "collaborative"}


def usual_weights(task: str, labels: Sequence[str]) -> np.ndarray:
    """Equal weights of the dense scorer and the one that is made for a task, float64 [S]; 0 for all others.

    The sum of both z-scores ranks better than either on most shops, which a handful of requests cannot disprove.
    """
    chosen = np.array([label in ("dense", _OWN[task]) for label in labels], np.float64)
    return chosen / max(chosen.sum(), 1.0)


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
    quality: Callable[[Pool, np.ndarray], np.ndarray],
    prior: np.ndarray | None = None,
    prior_requests: float = 0.0,
) -> Tuned:
    """Searches weights that are best on average, starting from each scorer alone and from equal weights.

    One weight after the other is tried at every value of the grid, until no single change helps. A request without any
    right item says nothing and must not be in the pool.

    Args:
        pool: candidates of at least one request.
        quality: (pool, weights float [S]) -> float64 [Q].
        prior: float64 [S], sum 1: weights that are drawn towards, or None.
        prior_requests: they count as much as so many requests of the pool.

    Returns:
        the best weights; without a prior never worse than the best scorer alone on this pool.
    """
    count = pool.parts.shape[2]
    single = np.eye(count)
    alone = np.stack([quality(pool, weights) for weights in single])
    tried: dict[bytes, float] = {}

    def mean(weights: np.ndarray) -> float:
        weights = weights / weights.sum()
        key = np.round(weights, 6).tobytes()
        if key not in tried:
            tried[key] = float(quality(pool, weights).mean())
        return tried[key]

    starts = [single[int(alone.mean(axis=1).argmax())], np.ones(count)]
    best, best_mean = starts[0], mean(starts[0])
    for start in starts:
        weights, value = _climb(start.astype(np.float64), mean)
        if value > best_mean + _LEAST_GAIN:
            best, best_mean = weights, value
    best = best / best.sum()
    if prior is not None and prior.any():
        requests = len(pool.items)
        best = (requests * best + prior_requests * prior) / (requests + prior_requests)
    return Tuned(best, quality(pool, best), alone)


def held_out(
    pool: Pool,
    quality: Callable[[Pool, np.ndarray], np.ndarray],
    seed: int,
    prior: np.ndarray | None = None,
    prior_requests: float = 0.0,
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
        folds: number of parts.
    """
    count = len(pool.items)
    reached = np.zeros(count)
    fold = np.random.default_rng(seed).permutation(count) % min(folds, count)
    for number in range(min(folds, count)):
        weights = tune(pool.some(np.flatnonzero(fold != number)), quality, prior, prior_requests).weights
        inside = np.flatnonzero(fold == number)
        reached[inside] = quality(pool.some(inside), weights)
    return reached


def _climb(weights: np.ndarray, mean: Callable[[np.ndarray], float]) -> tuple[np.ndarray, float]:
    value = mean(weights)
    for _ in range(_MOST_SWEEPS):
        before = value
        for number in range(len(weights)):
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
