"""Places for items that hardly anyone took, told by the items that their texts resemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_NEIGHBOURS = 10
_BLOCK_SCORES = 16 << 20


@dataclass(frozen=True)
class ColdItems:
    """Items with few purchases, and the warm items beside them.

    Attributes:
        items: int64 [C].
        weights: scipy CSR float32 [C, N]; the rows sum to 1 over warm neighbours.
        likeness: float32 [C] in 0..1, how near those are.
    """

    items: np.ndarray
    weights: Any
    likeness: np.ndarray

    def fill(self, scores: np.ndarray) -> np.ndarray:
        """Scores [R, N] with the cold items' columns replaced by their neighbours' mean."""
        if len(self.items):
            scores[:, self.items] = (self.weights @ scores.T).T
        return scores


def find_cold_items(popularity: np.ndarray, most: int, vectors: np.ndarray) -> ColdItems:
    """Finds the items with at most so many purchases, and their neighbours among the others.

    Args:
        popularity: int [N].
        most: purchases.
        vectors: unit vectors of the items, float32 [N, D].

    Returns:
        the cold items; none when all items are cold.
    """
    from scipy import sparse

    size = len(popularity)
    warm = np.flatnonzero(popularity > most)
    cold = np.flatnonzero(popularity <= most) if len(warm) else np.zeros(0, np.int64)
    count = min(_NEIGHBOURS, len(warm))
    places = np.zeros([len(cold), count], np.int64)
    weights = np.zeros([len(cold), count], np.float32)
    likeness = np.zeros(len(cold), np.float32)
    background = vectors @ vectors.mean(axis=0)
    block = max(1, _BLOCK_SCORES // max(1, len(warm)))
    for start in range(0, len(cold), block):
        rows = slice(start, start + block)
        cosines = vectors[cold[rows]] @ vectors[warm].T
        best = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(cosines, best, axis=1)
        floor = background[cold[rows]][:, None]
        near = np.clip((near - floor) / np.maximum(1.0 - floor, 1e-3), 1e-3, 1.0)
        places[rows], weights[rows] = warm[best], near / near.sum(axis=1, keepdims=True)
        likeness[rows] = near.mean(axis=1)
    ends = np.arange(len(cold) + 1) * count
    table = sparse.csr_matrix((weights.reshape(-1), places.reshape(-1), ends), shape=(len(cold), size))
    return ColdItems(cold, table, likeness)
