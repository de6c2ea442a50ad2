"""Is the difference between two systems more than luck of the queries? Paired interval and paired tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtr, stdtrit

from tfrec.errors import EvaluationError

RESAMPLES = 10_000
CONFIDENCE = 0.95
_EXACT_UP_TO = 13  # 2^13 = 8,192 sign patterns: fewer than RESAMPLES, so all of them are tried
_CELLS = 4 << 20  # random numbers alive at once


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
    def shown(self) -> bool:
        """True when the interval leaves out 0: the data show a difference."""
        return self.low > 0 or self.high < 0

    def sentence(self) -> str:
        """One line of plain English with difference, interval and p-value."""
        text = f"{self.difference:+.3f} {self.metric}".rstrip()
        if math.isnan(self.low):
            return f"no difference shown: {text} (one query is too few for an interval)"
        numbers = f"95 % CI {self.low:+.3f} to {self.high:+.3f}, {format_p(self.p_permutation)}"
        seeds = f", mean of {self.seeds} seeds" if self.seeds > 1 else ""
        return f"{'' if self.shown else 'no difference shown: '}{text} ({numbers}{seeds})"

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values; an interval that does not exist is null."""
        values = {name: None if value != value else value for name, value in asdict(self).items()}
        return values | {"shown": self.shown, "sentence": self.sentence()}


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
    low, high = _bootstrap_interval(differences, resamples, np.random.default_rng([seed, 1]))
    return Comparison(
        metric=metric,
        difference=float(differences.mean()),
        low=low,
        high=high,
        p_permutation=_sign_flip_p(differences, resamples, np.random.default_rng([seed, 2])),
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


def _bootstrap_interval(
    differences: NDArray[np.float64], resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    count = len(differences)
    if count < 2:
        return math.nan, math.nan
    if not np.ptp(differences):  # every resample has the same mean; say it without rounding noise
        return float(differences[0]), float(differences[0])
    means = np.concatenate(
        [
            differences[rng.integers(0, count, (rows, count), dtype=np.int32)].mean(axis=1)
            for rows in _chunks(resamples, count)
        ]
    )
    # Tail expanded from the normal to Student's t and by sqrt(n / (n - 1)), the bias of the resampled deviation.
    tail = float(ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, (1 - CONFIDENCE) / 2)))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _sign_flip_p(differences: NDArray[np.float64], resamples: int, rng: np.random.Generator) -> float:
    changed = differences[differences != 0]  # a zero stays zero under any sign
    count = len(changed)
    if not count:
        return 1.0
    observed = abs(changed.sum()) * (1 - 1e-12)  # equal sums must count as equal in spite of rounding
    if count <= _EXACT_UP_TO:
        patterns = np.arange(2**count)[:, None] >> np.arange(count) & 1
        return float((np.abs((2 * patterns - 1) @ changed) >= observed).mean())
    reached = 0
    for rows in _chunks(resamples, count):
        signs = rng.integers(0, 2, (rows, count), dtype=np.int8) * 2.0 - 1.0
        reached += int((np.abs(signs @ changed) >= observed).sum())
    return (reached + 1) / (resamples + 1)  # the observed pattern is one of all: p is never 0


def _t_test_p(differences: NDArray[np.float64]) -> float:
    count, mean = len(differences), float(differences.mean())
    if count < 2 or mean == 0:
        return 1.0
    deviation = float(differences.std(ddof=1))
    if deviation <= 1e-12 * abs(mean):
        return 0.0
    return float(2 * stdtr(count - 1, -abs(mean) / (deviation / math.sqrt(count))))


def _chunks(total: int, width: int) -> list[int]:
    """Splits `total` rows into pieces of at most _CELLS numbers."""
    rows = max(1, min(total, _CELLS // width))
    return [min(rows, total - start) for start in range(0, total, rows)]
