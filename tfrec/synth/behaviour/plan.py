"""Choosing items so that what is plausible, how much is taken and what is popular all come out right."""

from __future__ import annotations

import numpy as np

_PASSES = 30
_CAP_PASSES = 8


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
    wanted = (popularity * sizes.sum()).astype(np.float64)
    columns = np.ones(plausibility.shape[1], np.float32)
    rows = np.zeros(len(sizes), np.float32)
    for _ in range(_PASSES):
        rows = (sizes / np.maximum(plausibility @ columns, 1e-20)).astype(np.float32)
        columns = (wanted / np.maximum(rows @ plausibility, 1e-20)).astype(np.float32)
    rows = (sizes / np.maximum(plausibility @ columns, 1e-20)).astype(np.float32)
    return _capped(plausibility * columns * rows[:, None], sizes)


def _capped(plan: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Nothing is taken twice: chances above 1 give their excess to the other items of the row."""
    for _ in range(_CAP_PASSES):
        full = plan >= 1.0
        if not full.any():
            break
        plan = np.minimum(plan, 1.0)
        left = sizes - full.sum(axis=1)
        free = np.where(full, 0.0, plan).sum(axis=1)
        factor = np.where(free > 0, left / np.maximum(free, 1e-20), 1.0).astype(np.float32)
        plan = np.where(full, 1.0, plan * factor[:, None]).astype(np.float32)
    return np.minimum(plan, 1.0)


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
