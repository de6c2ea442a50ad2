"""BM25 and cosine similarity as one score, and the best of it."""

from __future__ import annotations

import numpy as np

BLOCK_SCORES = 4 << 20  # float32 scores of one kind alive at once: 16 MiB stay near the processor
_GROUP = 64


def hybrid_scores(dense: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    """The sum of the z-scores of both over the catalogue.

    Args:
        dense: cosine similarities float32 [B, N].
        lexical: BM25 scores float32 [B, N].

    Returns:
        float32 [B, N].
    """
    total = _standard(dense)
    total += _standard(lexical)
    return total


def best(scores: np.ndarray, count: int) -> np.ndarray:
    """The places of the greatest scores, best first, equal ones by place.

    Each of the `count` groups with the greatest maxima holds a score of at least the least of these maxima, so what is
    below cannot be among the best: a maximum per group costs a tenth of a partition of all scores.

    Args:
        scores: float32 [N].
        count: at most N.

    Returns:
        int64 [count].
    """
    groups = len(scores) // _GROUP
    if groups < count:
        bound = np.partition(scores, len(scores) - count)[len(scores) - count] if count else np.inf
    else:
        maxima = scores[: groups * _GROUP].reshape(groups, _GROUP).max(axis=1)
        bound = np.partition(maxima, groups - count)[groups - count] if count else np.inf
    places = np.flatnonzero(scores >= bound)
    return places[np.lexsort((places, -scores[places]))][:count]


def _standard(scores: np.ndarray) -> np.ndarray:
    scores = scores - scores.mean(axis=1, keepdims=True)
    scores /= np.sqrt(np.einsum("ij,ij->i", scores, scores) / scores.shape[1])[:, None] + 1e-6
    return scores
