"""A choice by few queries, drawn towards what needs none."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def drawn(chosen: ArrayLike, prior: ArrayLike, queries: float, prior_queries: float) -> NDArray[np.float64]:
    """`(n * chosen + n0 * prior) / (n + n0)`: with few queries nearly the prior, with many nearly the choice.

    Args:
        chosen: float [...], what n queries chose.
        prior: float [...], what is taken without any.
        queries: n.
        prior_queries: n0, how many queries the prior counts as; with 0 of both the prior is taken.

    Returns:
        float64 [...].
    """
    share = queries / (queries + prior_queries) if queries else 0.0
    return share * np.asarray(chosen, np.float64) + (1 - share) * np.asarray(prior, np.float64)
