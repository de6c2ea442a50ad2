"""What weights of scorers are judged by: quality of each request of a pool."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tfrec.retrieval.pool import Pool

Quality = Callable[[Pool, np.ndarray], np.ndarray]
"""(pool, weights float [S] or [Q, S]) -> float64 [Q]."""
SEARCH_METRIC, RECOMMENDATION_METRIC = "nDCG@10", "mean of Recall@20 and nDCG@20"


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


QUALITY: dict[str, Quality] = {
    "search": search_quality,
    "recommendation": recommendation_quality,
    "nothing": recommendation_quality,
}
METRIC = {"search": SEARCH_METRIC, "recommendation": RECOMMENDATION_METRIC, "nothing": RECOMMENDATION_METRIC}
