"""Paired differences pooled over draws that share queries, and over shops."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """What one system has over another.

    Attributes:
        mean: over the tested queries of all draws.
        low, high: 95 % interval over queries.
        worst: the smallest mean of a single draw.
        queries: distinct tested queries.
        draws: number of draws.
    """

    mean: float
    low: float
    high: float
    worst: float
    queries: int
    draws: int

    def __str__(self) -> str:
        return f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f})"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def pooled(draws: Sequence[Mapping[str, float]], seed: int = 0) -> Difference:
    """Pools one shop's draws.

    A query that several draws test is one query: all its differences are resampled together, so that ten draws of the
    same fifty queries do not pass for five hundred. Each query counts as often as it was tested.

    Args:
        draws: per draw tested query -> difference.
        seed: of the resampling.
    """
    return over_shops([draws], seed)


def over_shops(shops: Sequence[Sequence[Mapping[str, float]]], seed: int = 0) -> Difference:
    """Pools shops, each counting alike however many queries it has; queries are resampled within their shop.

    Args:
        shops: per shop and draw tested query -> difference; at least one value in each shop.
        seed: of the resampling.

    Source: Hesterberg 2015 (percentiles widened to Student's t for few queries).
    """
    rng = np.random.default_rng(seed)
    means, resampled, least, worst = [], np.zeros(RESAMPLES), math.inf, []
    queries = 0
    for draws in shops:
        sums, counts = _by_query(draws)
        means.append(sums.sum() / counts.sum())
        resampled += _resampled(sums, counts, rng) / len(shops)
        least, queries = min(least, len(sums)), queries + len(sums)
        worst.append(min(float(np.mean(list(draw.values()))) for draw in draws))
    mean = float(np.mean(means))
    low, high = _interval(resampled, int(least)) if least > 1 else (math.nan, math.nan)
    return Difference(mean, low, high, float(np.mean(worst)), queries, max(len(draws) for draws in shops))


def differences(ones: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Per draw tested query -> one - other, of queries that both have a value for."""
    return [
        {query: value - other[query] for query, value in one.items() if query in other}
        for one, other in zip(ones, others, strict=True)
    ]


def mean_of(draws: Sequence[Mapping[str, float]]) -> float:
    """Over the tested queries of all draws."""
    values = [value for draw in draws for value in draw.values()]
    return float(np.mean(values)) if values else math.nan


def _by_query(draws: Sequence[Mapping[str, float]]) -> tuple[np.ndarray, np.ndarray]:
    """(sum of a query's values, number of draws that test it), float64 [Q] each."""
    total: dict[str, list[float]] = {}
    for draw in draws:
        for query, value in draw.items():
            total.setdefault(query, []).append(value)
    return np.array([sum(values) for values in total.values()]), np.array([len(v) for v in total.values()], np.float64)


def _resampled(sums: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = []
    for first in range(0, RESAMPLES, 1000):
        rows = rng.integers(0, len(sums), (min(1000, RESAMPLES - first), len(sums)), dtype=np.int32)
        found.append(sums[rows].sum(axis=1) / counts[rows].sum(axis=1))
    return np.concatenate(found)


def _interval(resampled: np.ndarray, count: int) -> tuple[float, float]:
    from scipy.special import ndtr, stdtrit

    tail = float(ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, (1 - CONFIDENCE) / 2)))
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)
