"""Empirical Bayes: what a rate is worth that few impressions tell, by how much the rates of all pairs differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST, _MOST = 0.5, 10_000.0  # pseudo-impressions
_UNKNOWN = 20.0  # where no pair was shown twice, nothing tells how much pairs differ
_TELLING = 2.0
_EDGE = 1e-6


@dataclass(frozen=True)
class Prior:
    """A beta distribution over rates.

    Attributes:
        mean: its mean, 0..1.
        strength: how many impressions it counts as (a + b).
    """

    mean: float
    strength: float

    def shrunk(self, successes: NDArray[np.float64], trials: NDArray[np.float64]) -> NDArray[np.float64]:
        """The posterior mean of each rate, float64 [P], never quite 0 or 1."""
        rate = (successes + self.mean * self.strength) / (trials + self.strength)
        return np.clip(rate, _EDGE, 1.0 - _EDGE)

    def confidence(self, trials: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of a posterior mean that comes from the pair's own impressions, float64 [P], 0..1."""
        return trials / (trials + self.strength)


def fitted_prior(successes: NDArray[np.float64], trials: NDArray[np.float64]) -> Prior:
    """The prior that the rates of all pairs tell, by the analysis of variance.

    Args:
        successes: float64 [P], counts or expected counts, at least 0.
        trials: float64 [P].

    Returns:
        the prior; its mean is the overall rate.

    Source: Kleinman 1973, Proportions with Extraneous Variance: Single and Independent Samples (moments of the
    beta-binomial); Efron and Morris 1975, Data Analysis Using Stein's Estimator.
    """
    if not trials.sum() > _EDGE:
        return Prior(0.5, _UNKNOWN)
    overall = min(max(float(successes.sum() / trials.sum()), _EDGE), 1.0 - _EDGE)
    # two impressions of one pair tell how alike they are; parts of one, as of a place that is hardly looked at, do not
    there = trials >= _TELLING
    successes, trials = successes[there], trials[there]
    total = float(trials.sum())
    if len(trials) < 2:
        return Prior(overall, _UNKNOWN)
    mean = min(max(float(successes.sum()) / total, _EDGE), 1.0 - _EDGE)
    free = len(trials) - 1
    spread = float((trials * (successes / trials - mean) ** 2).sum()) / (mean * (1.0 - mean))
    room = total - float((trials**2).sum()) / total - free
    if room <= 0.01 * total:
        return Prior(overall, _UNKNOWN)
    alike = (spread - free) / room  # the correlation of two impressions of one pair
    strength = 1.0 / alike - 1.0 if alike > 0 else _MOST
    return Prior(overall, float(np.clip(strength, _LEAST, _MOST)))
