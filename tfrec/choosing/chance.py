"""Whether a gain is larger than chance: only then is a default left."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tfrec.choosing.resampling import sign_flip_p

LEAST_QUERIES = 10  # with fewer, nothing is told apart from luck, whatever the test says
LEVEL = 0.05
_RESAMPLES = 10_000


def beyond_chance(*gains: ArrayLike, alternatives: int = 1, level: float = LEVEL) -> bool:
    """Whether paired gains over a default are more than luck.

    A sign-flip test of one side, whose level is divided by the number of alternatives that the best was taken of
    (Bonferroni): where all are noise, the default is left once in twenty times at most.

    Args:
        gains: per task float [Q], what the alternative reaches over the default for each request; every task counts
            alike, by its mean. Fewer than ten requests in all say nothing.
        alternatives: how many were tried.
        level: chance that is allowed.
    """
    tasks = [np.asarray(some, np.float64) for some in gains]
    weighted = np.concatenate([np.zeros(0), *(some / len(some) for some in tasks if len(some))])
    if len(weighted) < LEAST_QUERIES or not weighted.sum() > 0:
        return False
    rng = np.random.default_rng(len(weighted))
    resamples = max(_RESAMPLES, round(20 * alternatives / level))  # a sampled p must be able to fall below the level
    return sign_flip_p(weighted, resamples, rng, two_sided=False) < level / max(1, alternatives)
