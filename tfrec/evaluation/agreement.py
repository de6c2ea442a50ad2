"""How far several judges agree: Krippendorff's alpha and Cohen's weighted kappa."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

Metric = Literal["nominal", "ordinal", "interval"]
_RESAMPLES = 1000


@dataclass(frozen=True)
class Agreement:
    """Agreement with its 95 % interval over units.

    Attributes:
        value: 1 is perfect, 0 what chance would bring; None where nothing can disagree.
        low, high: of the interval; None with the value, or with a single unit.
        units: with at least two grades, which it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int

    @property
    def between(self) -> str:
        """The interval in brackets, "" without one."""
        return "" if self.low is None else f" (95 % CI {self.low:.3f} to {self.high:.3f})"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def krippendorff_alpha(units: Sequence[Sequence[float]], metric: Metric = "ordinal", seed: int = 0) -> Agreement:
    """Krippendorff's alpha, for any number of judges and with any of their grades missing.

    As in K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); the interval is a percentile bootstrap
    over units.

    Args:
        units: the grades that each unit (a query's item) was given, by whomever; those with fewer than two say nothing.
        metric: what a difference of two grades counts. ordinal takes their order, interval the square of the
            difference.
        seed: of the bootstrap.
    """
    told = [list(grades) for grades in units if len(grades) > 1]
    if not told:
        return Agreement(None, None, None, 0)
    values, places = np.unique(np.concatenate(told), return_inverse=True)
    bounds = np.cumsum([0, *map(len, told)])
    counts = np.zeros([len(told), len(values)])
    for unit, (start, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        counts[unit] = np.bincount(places[start:end], minlength=len(values))
    pairs = np.einsum("u,uv,uw->uvw", 1 / (counts.sum(axis=1) - 1), counts, counts)
    pairs -= np.einsum("uv,vw->uvw", counts / (counts.sum(axis=1, keepdims=True) - 1), np.eye(len(values)))
    value = float(_alpha(np.ones([1, len(told)]), counts, pairs, values, metric)[0])
    if np.isnan(value) or len(told) < 2:
        return Agreement(None if np.isnan(value) else value, None, None, len(told))
    drawn = np.random.default_rng(seed).multinomial(len(told), np.full(len(told), 1 / len(told)), _RESAMPLES)
    low, high = np.nanquantile(_alpha(drawn, counts, pairs, values, metric), [0.025, 0.975])
    return Agreement(value, float(low), float(high), len(told))


def _alpha(times: np.ndarray, counts: np.ndarray, pairs: np.ndarray, values: np.ndarray, metric: Metric) -> np.ndarray:
    """Alpha of R samples of the units, float64 [R]; NaN where nothing can disagree.

    Args:
        times: how often each sample holds each unit, [R, U].
        counts: how often each unit was given each value, [U, V].
        pairs: the coincidences of values within each unit, [U, V, V].
        values: the values, [V].
        metric: see `krippendorff_alpha`.
    """
    totals = times @ counts
    coincidences = np.tensordot(times, pairs, 1)
    distances = _distances(values, totals, metric)
    expected = np.einsum("rv,rw,rvw->r", totals, totals, distances) / (totals.sum(axis=1) - 1)
    observed = (coincidences * distances).sum(axis=(1, 2))
    return 1 - np.divide(observed, expected, out=np.full(len(totals), np.nan), where=expected > 0)


def _distances(values: np.ndarray, totals: np.ndarray, metric: Metric) -> np.ndarray:
    """What each difference of values counts in each sample, [R, V, V]."""
    if metric == "nominal":
        return np.broadcast_to(1.0 - np.eye(len(values)), [len(totals), len(values), len(values)])
    # the place of a value on the ordinal scale is the middle of its own grades among all that were given
    scale = np.cumsum(totals, axis=1) - totals / 2 if metric == "ordinal" else np.broadcast_to(values, totals.shape)
    return (scale[:, :, None] - scale[:, None, :]) ** 2


def weighted_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Cohen's kappa of two judges with quadratic weights (J. Cohen, Weighted kappa, 1968).

    Args:
        first: the grades of one judge.
        second: those of the other, or means of several, of the same units.

    Returns:
        1 is perfect, 0 what chance would bring; None without units, or where both gave one and the same grade only.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not len(one):
        return None
    expected = ((one[:, None] - other[None, :]) ** 2).mean()
    return float(1 - ((one - other) ** 2).mean() / expected) if expected > 0 else None
