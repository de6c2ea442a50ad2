"""Tests whose number of units is fixed beforehand: paired, of two groups, and by a covariate from before (CUPED)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]
LEAST_UNITS = 20  # of either group; with fewer, nothing is told


@dataclass(frozen=True)
class Estimate:
    """A difference, b - a.

    Attributes:
        difference: mean difference, in the metric's unit.
        low, high: bounds of its interval.
        p: two-sided p-value.
        units: how many units of a and of b it is from (interleaving: all units twice).
    """

    difference: float
    low: float
    high: float
    p: float
    units: tuple[int, int]

    @property
    def enough(self) -> bool:
        """Whether there are enough units to tell anything."""
        return min(self.units) >= LEAST_UNITS

    def shown(self, level: float = 0.05) -> bool:
        """Whether a difference is shown."""
        return self.enough and self.p < level

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = {name: None if value != value else value for name, value in asdict(self).items()}
        return {**told, "enough": self.enough}


def of_pairs(values: Values, confidence: float = 0.95) -> Estimate:
    """One-sample t-test of differences that each unit gives itself, as in interleaving.

    Args:
        values: float [U].
        confidence: of the interval.
    """
    count, mean = len(values), float(np.mean(values)) if len(values) else float("nan")
    if count < 2 or not np.ptp(values):
        return Estimate(mean, float("nan"), float("nan"), 1.0, (count, count))
    found = stats.ttest_1samp(values, 0.0)
    interval = found.confidence_interval(confidence)
    return Estimate(mean, float(interval.low), float(interval.high), float(found.pvalue), (count, count))


def of_groups(a: Values, b: Values, confidence: float = 0.95) -> Estimate:
    """Welch's t-test of two groups of units.

    Args:
        a, b: float [U] and [V].
        confidence: of the interval.

    Source: Welch 1947, The Generalization of Student's Problem when Several Different Population Variances are
    Involved.
    """
    difference = float(np.mean(b) - np.mean(a)) if len(a) and len(b) else float("nan")
    if min(len(a), len(b)) < 2 or not (np.ptp(a) or np.ptp(b)):
        return Estimate(difference, float("nan"), float("nan"), 1.0, (len(a), len(b)))
    found = stats.ttest_ind(b, a, equal_var=False)
    interval = found.confidence_interval(confidence)
    return Estimate(difference, float(interval.low), float(interval.high), float(found.pvalue), (len(a), len(b)))


def signs(values: Values) -> tuple[int, int, float]:
    """How many units prefer b, how many a, and the binomial test's p of these two numbers (ties tell nothing)."""
    b, a = int((values > 0).sum()), int((values < 0).sum())
    return b, a, float(stats.binomtest(b, a + b).pvalue) if a + b else 1.0


def with_covariate(values: Values, before: Values) -> tuple[Values, float]:
    """Values less what a covariate from before the experiment foretells of them (CUPED).

    Args:
        values: float [U], of all units of both groups.
        before: float [U], which the experiment cannot have changed; its mean where nothing is known.

    Returns:
        the adjusted values, whose mean is the same; and the share of the variance that went, 0..1.

    Source: Deng, Xu, Kohavi and Walker 2013, Improving the Sensitivity of Online Controlled Experiments by Utilizing
    Pre-Experiment Data.
    """
    if len(values) < 3 or not np.ptp(before) or not np.ptp(values):
        return values, 0.0
    covariance = np.cov(values, before)
    slope = covariance[0, 1] / covariance[1, 1]
    adjusted = values - slope * (before - before.mean())
    return adjusted, max(0.0, 1.0 - float(adjusted.var() / values.var()))


def ratio_mismatch(units: tuple[int, int]) -> float:
    """p-value of a fair split into groups of these sizes: a tiny one says that the assignment or the log is broken.

    Source: Fabijan et al. 2019, Diagnosing Sample Ratio Mismatch in Online Controlled Experiments.
    """
    return float(stats.chisquare(units).pvalue) if sum(units) else 1.0
