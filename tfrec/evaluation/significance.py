"""Is the difference between two systems more than luck of the queries? Paired interval and paired tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from tfrec.choosing.chance import LEAST_QUERIES
from tfrec.choosing.resampling import bootstrap_interval, sign_flip_p
from tfrec.errors import EvaluationError

RESAMPLES = 10_000
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Comparison:
    """Outcome of a paired comparison of system a with system b.

    Attributes:
        metric: name of what was compared, for the sentence.
        difference: mean over queries of a - b, in the unit of the metric.
        low, high: bounds of the 95 % bootstrap interval of that mean; NaN when there are fewer than two queries.
        p_permutation: two-sided p-value of the sign-flip test.
        p_t_test: two-sided p-value of the paired t-test.
        queries: number of pairs.
        better, worse: pairs in which a is above, below b.
        seeds: number of training seeds averaged per query before the comparison.
        seed_deviation: standard deviation of the mean difference between those seeds (0 for one seed).
    """

    metric: str
    difference: float
    low: float
    high: float
    p_permutation: float
    p_t_test: float
    queries: int
    better: int
    worse: int
    seeds: int = 1
    seed_deviation: float = 0.0

    @property
    def enough(self) -> bool:
        """True when there are enough pairs for any claim: ten."""
        return self.queries >= LEAST_QUERIES

    @property
    def shown(self) -> bool:
        """True when the data show a difference: enough pairs, an interval without 0, and a sign-flip p below 0.05."""
        return self.enough and (self.low > 0 or self.high < 0) and self.p_permutation < SIGNIFICANCE

    @property
    def caveat(self) -> str:
        """Why no difference is told, "" when one is."""
        if not self.enough:
            return f"too few queries to tell ({self.queries} of at least {LEAST_QUERIES})"
        return "" if self.shown else "no difference shown"

    def sentence(self) -> str:
        """One line of plain English with difference, interval and p-value; of too few pairs the difference alone."""
        text = f"{self.difference:+.3f} {self.metric}".rstrip()
        seeds = f"mean of {self.seeds} seeds" if self.seeds > 1 else ""
        if not self.enough:
            return f"{self.caveat}: {text}" + (f" ({seeds})" if seeds else "")
        numbers = f"95 % CI {self.low:+.3f} to {self.high:+.3f}, {format_p(self.p_permutation)}"
        return f"{self.caveat}{': ' if self.caveat else ''}{text} ({numbers}{', ' if seeds else ''}{seeds})"

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values; an interval that does not exist is null."""
        values = {name: None if value != value else value for name, value in asdict(self).items()}
        return values | {"shown": self.shown, "enough": self.enough, "sentence": self.sentence()}


def compare(a: ArrayLike, b: ArrayLike, seed: int = 0, metric: str = "", resamples: int = RESAMPLES) -> Comparison:
    """Compares two systems on the same queries.

    The interval resamples queries 10,000 times and widens the percentiles for few queries (Hesterberg's expanded
    percentile interval: a plain one covers 93 % at 20 queries). The p-value flips the sign of every query's
    difference at random; up to 13 differing queries all patterns are tried, which is exact.

    Args:
        a: float[Q], one value per query of the first system.
        b: float[Q], the other system on the same queries in the same order. Pairs with a NaN are left out.
        seed: seed of the resampling; the result is the same for the same seed.
        metric: name used in the sentence.
        resamples: random draws of the interval and of the sign-flip test.

    Returns:
        difference, interval and p-values. Equal arrays give difference 0, interval 0 to 0 and p = 1.

    Raises:
        EvaluationError: the arrays differ in length or hold no pair.

    Source: Smucker et al. 2007 (permutation test in retrieval); Hesterberg 2015 (bootstrap interval).
    """
    a, b = np.asarray(a, np.float64).reshape(-1), np.asarray(b, np.float64).reshape(-1)
    if a.shape != b.shape:
        raise EvaluationError(f"A paired comparison needs the same queries, but got {len(a)} and {len(b)} values.")
    differences = a - b
    differences = differences[np.isfinite(differences)]
    if not len(differences):
        raise EvaluationError("There is no query on which both systems have a value: nothing to compare.")
    low, high = bootstrap_interval(differences, resamples, np.random.default_rng([seed, 1]))
    return Comparison(
        metric=metric,
        difference=float(differences.mean()),
        low=low,
        high=high,
        p_permutation=sign_flip_p(differences, resamples, np.random.default_rng([seed, 2])),
        p_t_test=_t_test_p(differences),
        queries=len(differences),
        better=int((differences > 0).sum()),
        worse=int((differences < 0).sum()),
    )


def mean_over_seeds(
    differences: Sequence[ArrayLike], seed: int = 0, metric: str = "", resamples: int = RESAMPLES
) -> Comparison:
    """Compares a system trained with several seeds: its per-query differences are averaged over the seeds first.

    The interval is over queries, for "this recipe, averaged over these seeds"; how much one training run differs
    from the next is told apart, in `seed_deviation`.

    Args:
        differences: per seed float[Q], system - baseline for every query.
        seed: seed of the resampling.
        metric: name used in the sentence.
        resamples: random draws of the interval and of the sign-flip test.

    Returns:
        the comparison of the averaged system with the baseline.

    Raises:
        EvaluationError: there is no array, or their lengths differ.
    """
    rows = [np.asarray(row, np.float64).reshape(-1) for row in differences]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise EvaluationError(
            f"Averaging over seeds needs arrays over the same queries, but got lengths {[len(row) for row in rows]}."
        )
    table = np.stack(rows)
    table = table[:, np.isfinite(table).all(axis=0)]
    average = table.mean(axis=0)
    outcome = compare(average, np.zeros_like(average), seed, metric, resamples)
    deviation = float(table.mean(axis=1).std(ddof=1)) if len(rows) > 1 else 0.0
    return replace(outcome, seeds=len(rows), seed_deviation=deviation)


def format_p(p: float) -> str:
    """A p-value to two digits: "p = 0.024", "p = 0.31", "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"


def _t_test_p(differences: NDArray[np.float64]) -> float:
    count, mean = len(differences), float(differences.mean())
    if count < 2 or mean == 0:
        return 1.0
    deviation = float(differences.std(ddof=1))
    if deviation <= 1e-12 * abs(mean):
        return 0.0
    return float(2 * stdtr(count - 1, -abs(mean) / (deviation / math.sqrt(count))))
