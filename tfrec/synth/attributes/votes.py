"""What the most similar items say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BLOCK_SCORES = 4 << 20  # float32 similarities alive at once


@dataclass(frozen=True)
class Vote:
    """A value and who is for it.

    Attributes:
        share: of the weighted votes, 0..1.
        similarity: mean cosine of its voters, weighted as their votes, 0..1.
        voters: item indices, the most similar first.
    """

    share: float
    similarity: float
    voters: list[int]

    @property
    def confidence(self) -> float:
        """Share times similarity: neighbours must agree, and must be near."""
        return self.share * self.similarity


def nearest(vectors: np.ndarray, rows: np.ndarray, known: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The most similar known items of each row, itself left out.

    Args:
        vectors: unit vectors of all items, float32 [N, D].
        rows: items int64 [R].
        known: items int64 [K] among which neighbours are looked for.
        count: neighbours wanted.

    Returns:
        (items int64 [R, C], cosines float32 [R, C]), most similar first; C = count or as many as there are; an
        item that is left out has cosine -inf.
    """
    count = min(count, len(known))
    items = np.zeros([len(rows), count], np.int64)
    cosines = np.zeros([len(rows), count], np.float32)
    if not count:
        return items, cosines
    catalogue = np.ascontiguousarray(vectors[known].T)
    block = max(1, _BLOCK_SCORES // len(known))
    for first in range(0, len(rows), block):
        part = rows[first : first + block]
        scores = vectors[part] @ catalogue
        scores[part[:, None] == known[None]] = -np.inf
        best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(scores, best, axis=1)
        order = np.lexsort((best, -values), axis=1)
        items[first : first + block] = known[np.take_along_axis(best, order, axis=1)]
        cosines[first : first + block] = np.take_along_axis(values, order, axis=1)
    return items, cosines


def count_votes(
    neighbours: np.ndarray, cosines: np.ndarray, values: Sequence[str], sharpness: float
) -> dict[str, Vote]:
    """Counts the votes for one item.

    Args:
        neighbours: items int64 [C], from `nearest`.
        cosines: float32 [C].
        values: value of every item [N].
        sharpness: a vote weighs max(cosine, 0) to this power.

    Returns:
        value -> vote, of values with any weight.
    """
    heard = np.isfinite(cosines) & (cosines > 0)
    near = np.minimum(cosines[heard].astype(np.float64), 1.0)
    weights = near**sharpness
    total = weights.sum()
    by_value: dict[str, list[int]] = {}
    for place, item in enumerate(neighbours[heard].tolist()):
        by_value.setdefault(values[item], []).append(place)
    items = neighbours[heard]
    return {
        value: Vote(
            float(weights[places].sum() / total),
            float((weights[places] * near[places]).sum() / weights[places].sum()),
            items[places].tolist(),
        )
        for value, places in by_value.items()
    }
