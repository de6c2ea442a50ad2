"""Choosing items so that what is plausible, how much is taken and what is popular all come out right."""

from __future__ import annotations

import numpy as np

_PASSES = 40
_LAST_PASSES = 10  # of rows alone: a basket's size is exact, popularity nearly so


def balanced_plan(plausibility: np.ndarray, sizes: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Probabilities that follow a model as far as two sets of totals allow.

    Among all plans with the wanted totals it is the one nearest to the model in Kullback-Leibler divergence: iterative
    proportional fitting (Deming and Stephan 1940; Sinkhorn 1967).

    Args:
        plausibility: float32 [R, N], at least 0; 0 forbids.
        sizes: int [R], items that each row takes.
        popularity: float [N], shares of the items among all that is taken; sum to 1.

    Returns:
        float32 [R, N] in 0..1: chance that a row takes an item; rows sum to sizes (less where a row allows less),
        columns nearly to popularity * sizes.sum().
    """
    wanted = np.asarray(popularity * sizes.sum(), np.float32)
    columns = np.ones(plausibility.shape[1], np.float32)
    rows = np.ones(len(sizes), np.float32)
    for _ in range(_PASSES):
        # nothing is taken twice: what a chance above 1 would give too much, the totals call back from other cells
        rows = _moved(rows, sizes, _plan(plausibility, rows, columns).sum(axis=1))
        columns = _moved(columns, wanted, _plan(plausibility, rows, columns).sum(axis=0))
    for _ in range(_LAST_PASSES):
        rows = _moved(rows, sizes, _plan(plausibility, rows, columns).sum(axis=1))
    return _plan(plausibility, rows, columns)


def _plan(plausibility: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    plan = plausibility * columns
    plan *= rows[:, None]
    return np.minimum(plan, 1.0, out=plan)


def _moved(factors: np.ndarray, wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Factors that bring totals nearer to the wanted ones; out of reach totals do not run away."""
    return np.clip(factors * (wanted / np.maximum(found, 1e-20)), 1e-18, 1e18).astype(np.float32)


def take(chances: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws different items, each with exactly its chance: systematic sampling in random order (Madow 1949).

    Args:
        chances: float [N] in 0..1, summing to count.
        count: items wanted.
        rng: where the draw comes from.

    Returns:
        int64 [at most count]; fewer when fewer have a chance.
    """
    allowed = np.flatnonzero(chances > 0)
    if len(allowed) <= count:
        return allowed
    order = rng.permutation(allowed)
    edges = np.cumsum(chances[order], dtype=np.float64)
    edges *= count / edges[-1]
    places = np.searchsorted(edges, rng.random() + np.arange(count), side="right")
    return np.unique(order[np.minimum(places, len(order) - 1)])
