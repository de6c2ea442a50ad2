"""How much each field mattered to the dev score, as far as so few trials can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.tuner.results import TrialResult

_LEAST = 8  # trials, below which a forest tells nothing
_TREES, _REPEATS = 100, 10


def coordinates(results: Sequence[TrialResult], path: str) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Where each trial stands on the axis of a field, 0..1, NaN where it did not vary.

    Args:
        results: the trials.
        path: the field.

    Returns:
        float64 [trials], and the axis' marks (place, text).
    """
    values = [trial.values.get(path) for trial in results]
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    named = [v for v in values if v is not None]
    if numbers and len(numbers) == len(named):
        array = np.array([np.nan if v is None else float(v) for v in values])
        low, high = np.nanmin(array), np.nanmax(array)
        log = low > 0 and high / low > 20
        if high == low:
            return np.where(np.isnan(array), np.nan, 0.5), [(0.5, f"{low:.3g}")]
        scaled = np.log(array / low) / np.log(high / low) if log else (array - low) / (high - low)
        middle = float(np.sqrt(low * high) if log else (low + high) / 2)
        return scaled, [(0.0, f"{low:.3g}"), (0.5, f"{middle:.3g}"), (1.0, f"{high:.3g}")]
    kinds = sorted({str(v) for v in named})
    place = {kind: n / max(1, len(kinds) - 1) if len(kinds) > 1 else 0.5 for n, kind in enumerate(kinds)}
    return np.array([np.nan if v is None else place[str(v)] for v in values]), [(place[k], k) for k in kinds]


def importance(results: Sequence[TrialResult], paths: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Share of what a forest of the trials explains that is lost when a field's values are shuffled.

    Args:
        results: the trials; those that did not train to their end or to a last evaluation count with what they have.
        paths: the fields.
        seed: of forest and shuffles.

    Returns:
        path -> 0..1, in descending order, in sum 1; empty below eight trials with a score, or when nothing varies.

    Source: permutation importance, Breiman 2001; forests over configurations, Hutter et al. 2014.
    """
    scored = [trial for trial in results if trial.score is not None]
    if len(scored) < _LEAST:
        return {}
    table = np.stack([np.nan_to_num(coordinates(scored, path)[0], nan=-0.5) for path in paths], axis=1)
    scores = np.array([trial.score for trial in scored], np.float64)
    if not np.ptp(scores):
        return {}
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.inspection import permutation_importance

    forest: Any = ExtraTreesRegressor(_TREES, min_samples_leaf=2, random_state=seed, bootstrap=True).fit(table, scores)
    lost = permutation_importance(forest, table, scores, n_repeats=_REPEATS, random_state=seed).importances_mean
    lost = np.maximum(lost, 0.0)
    if not lost.sum():
        return {}
    shares = {path: float(share) for path, share in zip(paths, lost / lost.sum(), strict=True)}
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))
