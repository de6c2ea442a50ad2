"""Where words and history come together: how much recommendation's weights count beside search's, by dev's searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.choosing.average import likely_average
from tfrec.choosing.chance import beyond_chance
from tfrec.choosing.crossing import out_of_folds
from tfrec.choosing.shrinkage import drawn
from tfrec.retrieval.evidence import Evidence
from tfrec.retrieval.quality import search_quality

USUAL_SHARE = 0.3  # where no request can choose
_SHARES = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])


def chosen_share(
    evidence: Evidence, weights_of: Callable[[float], NDArray[np.float64]], prior_requests: float
) -> dict[str, Any]:
    """The share that searches of known shoppers choose: an average of likely ones, drawn towards 0, and 0 unless
    searches that had no part in it gain beyond chance.

    Args:
        evidence: at least one search with a history, one of each shopper.
        weights_of: share -> weights of the scorers, float64 [S].
        prior_requests: how many searches the share 0 counts as.

    Returns:
        "share", "requests", "held_out" (nDCG@10 of each search with the share that others chose), "without" (with the
        share 0) and "told", a sentence.
    """
    reached = np.stack([search_quality(evidence.pool, weights_of(float(share))) for share in _SHARES])

    def likely(rows: NDArray[np.int64]) -> float:
        if not len(rows):
            return 0.0
        average = likely_average(_SHARES, reached[:, rows])
        return float(drawn(average, 0.0, len(rows), prior_requests))

    def judged(share: float, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return search_quality(evidence.pool.some(rows), weights_of(share))

    def gains(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        tried = out_of_folds(evidence.folds(rows), lambda at: likely(rows[at]), lambda s, at: judged(s, rows[at]))
        return tried - reached[0][rows]

    def by(rows: NDArray[np.int64]) -> float:
        return likely(rows) if len(rows) and beyond_chance(gains(rows)) else 0.0

    every = evidence.every
    honest = out_of_folds(evidence.folds(every), by, judged)
    share = round(by(every), 6)
    before, after = float(reached[0].mean()), float(honest.mean())
    return {
        "share": share, "requests": len(every), "held_out": after, "without": before,
        "told": f"words and history together: recommendation's weights count {share:.2f} beside search's, chosen by "
        f"{len(every)} shoppers' searches of dev (nDCG@10 {after:.3f} by what others chose, {before:.3f} "
        "without them)",
    }  # fmt: skip
