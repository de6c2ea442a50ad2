"""How much each setting counts, by the labelled queries there are."""

from __future__ import annotations

import numpy as np

_RATE = 0.1
_LEAST_SPREAD = 0.03  # of nDCG: where all settings rank alike, there is nothing to choose by


def aggregated(quality: np.ndarray) -> np.ndarray:
    """Shares of settings: the exponent of what they reach, times the number of queries (a Gibbs posterior).

    Without a query all count alike, which is the prior that they were drawn from. A setting that is worse by the usual
    deviation of a single query counts half after seven queries, and nothing after fifty. The best one alone would
    follow the luck of few queries, and the average of many is better than most of its parts anyway.

    Source: Dalalyan & Tsybakov 2008 (exponentially weighted aggregates); Catoni 2007 (PAC-Bayes).

    Args:
        quality: of C settings for Q queries, float64 [C, Q].

    Returns:
        float64 [C], sum 1.
    """
    count, queries = quality.shape
    if not queries:
        return np.full(count, 1 / count)
    spread = np.sqrt(np.mean((quality - quality.mean(axis=0)) ** 2))
    reached = quality.sum(axis=1)
    shares = np.exp(_RATE / max(spread, _LEAST_SPREAD) * (reached - reached.max()))
    return shares / shares.sum()
