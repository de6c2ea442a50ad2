"""Diverse lists of what several shards found: maximal marginal relevance, as tfrec.retrieval.diversity has it.

One server looks at the best 10 items of the catalogue for each place of the list. Those are among the best of every
shard, and shards tell their vectors, so that the client takes the same items, place by place.
"""

from __future__ import annotations

import numpy as np

from tfrec.serving.client.results import Hit

# as in tfrec.retrieval.diversity, which clients do without: a test holds both together
MOST_PLACES, CANDIDATES_PER_PLACE, MOST_CANDIDATES = 100, 10, 500


def candidates(k: int) -> int:
    """How many of the best items a diverse list of k is taken from."""
    return min(CANDIDATES_PER_PLACE * min(k, MOST_PLACES), MOST_CANDIDATES)


def diverse_hits(hits: list[Hit], vectors: np.ndarray, k: int, diversity: float) -> list[Hit]:
    """The k best, where being like an item that is already in the list costs.

    Args:
        hits: best first, at least the first `candidates(k)` that there are.
        vectors: of the first of them, as many as `candidates(k)` or all, float32 [P, D].
        k: hits at most.
        diversity: 0..1.

    Source: Carbonell & Goldstein 1998.
    """
    pool = min(len(hits), candidates(k))
    if not pool:
        return []
    values, share = np.array([hit.score for hit in hits[:pool]], np.float32), np.float32(diversity)
    spread = np.maximum(values[0] - values[-1], np.float32(1e-9))
    relevance = (1 - share) * (values - values[-1]) / spread
    nearest, free = np.zeros(pool, np.float32), np.ones(pool, bool)
    order: list[int] = []
    for _ in range(min(k, MOST_PLACES, pool)):
        choice = int(np.argmax(np.where(free, relevance - share * nearest, -np.inf)))
        order.append(choice)
        free[choice] = False
        nearest = np.maximum(nearest, vectors[:pool] @ vectors[choice])
    rest = [*np.flatnonzero(free).tolist(), *range(pool, len(hits))]
    return [hits[place] for place in [*order, *rest][:k]]
