"""The distribution of top scores at the time of the export, for servers that watch for drift."""

from __future__ import annotations

from typing import Any

import numpy as np

_BINS = 10
_LEAST = 50


def score_reference(scores: np.ndarray) -> dict[str, Any] | None:
    """Deciles of the scores of first items.

    Args:
        scores: float32 [Q, k], best first, of Q queries as shoppers type them; rows without an answer hold 0 or -inf.

    Returns:
        {"edges": 9 inner edges, "shares": the share of the queries in each of the 10 bins, "queries": Q} for the
        manifest's `score_reference` under the signature's name; None for fewer than 50 queries.
    """
    if scores.ndim != 2 or not scores.shape[1]:
        return None
    top = np.asarray(scores[:, 0], np.float64)
    top = top[np.isfinite(top)]
    if len(top) < _LEAST:
        return None
    # Equal scores make equal edges; each edge counts once, as the bins between equal ones stay empty for ever.
    edges = np.unique(np.round(np.quantile(top, np.arange(1, _BINS) / _BINS), 6))
    counts = np.bincount(np.searchsorted(edges, top, side="right"), minlength=len(edges) + 1)
    return {
        "edges": edges.tolist(),
        "shares": np.round(counts / len(top), 6).tolist(),
        "queries": len(top),
    }
