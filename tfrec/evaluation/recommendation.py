"""Metrics of recommendation: what a shopper bought later against what the model put first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrec.errors import EvaluationError
from tfrec.evaluation.metrics import mean_of

CUT = 20
RECALL, NDCG, MRR, HIT_RATE, COVERAGE = "Recall@20", "nDCG@20", "MRR@20", "Hit rate@20", "Coverage@20"
_DISCOUNTS = [1.0 / math.log2(place + 2) for place in range(CUT)]


@dataclass(frozen=True, repr=False)
class RecommendationMetrics:
    """Metrics of one recommender on one set of shoppers.

    Attributes:
        users: int64[U'], rows of the input that were evaluated.
        per_user: metric name -> float64[U'].
        coverage: share of the catalogue that appears in at least one evaluated top 20, 0..1.
        skipped: shoppers without any truth.
    """

    users: NDArray[np.int64]
    per_user: dict[str, NDArray[np.float64]]
    coverage: float
    skipped: int

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {mean:.3f}" for name, mean in list(self.means.items())[:4])
        return f"{type(self).__name__}(n = {self.count}: {means})"

    @property
    def samples(self) -> dict[str, NDArray[np.float64]]:
        """The arrays that comparisons are made on (the same name in every kind of metrics)."""
        return self.per_user

    @property
    def count(self) -> int:
        """Number of evaluated shoppers."""
        return len(self.users)

    @property
    def means(self) -> dict[str, float]:
        """Mean over shoppers of every metric, and the coverage."""
        return {name: mean_of(values) for name, values in self.per_user.items()} | {COVERAGE: self.coverage}

    @property
    def unit(self) -> str:
        """What is counted."""
        return "shoppers"

    @property
    def protocol(self) -> str:
        """How the numbers were made, in one line."""
        return (
            f"whole catalogue, without the shopper's history unless purchases repeat, first {CUT} places; "
            f"Recall = found / min({CUT}, truth size); shoppers without truth skipped"
        )

    def to_dict(self) -> dict[str, object]:
        """Means and counts as plain JSON values."""
        return {"means": self.means, "shoppers": self.count, "skipped": self.skipped}


def evaluate_recommendations(
    truths: Sequence[Sequence[int]], ranked: NDArray[np.int32], catalogue_size: int
) -> RecommendationMetrics:
    """Scores top lists against the items that shoppers bought afterwards.

    Recall@20 is the number of right items among the first 20, divided by the most that 20 places can hold,
    min(20, size of the truth): a wholesaler who buys 100 new items can still be served perfectly. nDCG@20
    has binary gains and the ideal of a list that starts with the truth; MRR@20 is the mean of 1 / place of the first
    right item, 0 without one; the hit rate is the share of shoppers with at least one right item. A right item that
    appears twice counts at its first place.

    Args:
        truths: per shopper the item indices that are right, each counted once; order does not matter.
        ranked: int[U, k] item indices, best first, -1 = empty place; places after the 20th are not looked at.
        catalogue_size: N, the number of items that could have been shown.

    Returns:
        per-shopper values (float64), their means, and the coverage.

    Raises:
        EvaluationError: the two inputs differ in length, nobody has a truth, or an index is not in the catalogue.

    Source: Liang et al. 2018, "Variational autoencoders for collaborative filtering", section 4.2.
    """
    ranked = np.asarray(ranked)
    if ranked.ndim != 2 or len(ranked) != len(truths):
        raise EvaluationError(f"Rankings of shape {ranked.shape} do not fit {len(truths)} shoppers: give one row each.")
    if ranked.size and int(ranked.max()) >= catalogue_size:
        raise EvaluationError(f"A ranking names item {ranked.max()}, but the catalogue has {catalogue_size} items.")
    ranked = ranked[:, :CUT]
    users = np.array([user for user, truth in enumerate(truths) if len(truth)], np.int64)
    if not len(users):
        raise EvaluationError(f"None of the {len(truths)} shoppers bought anything in the test window.")
    values = np.array([_one_shopper(set(map(int, truths[user])), ranked[user].tolist()) for user in users.tolist()])
    shown = np.unique(ranked[users])
    per_user = {name: values[:, column].copy() for column, name in enumerate((RECALL, NDCG, MRR, HIT_RATE))}
    coverage = float((shown >= 0).sum()) / catalogue_size
    return RecommendationMetrics(users, per_user, coverage, len(truths) - len(users))


def _one_shopper(truth: set[int], ranking: list[int]) -> tuple[float, float, float, float]:
    """(recall, nDCG, reciprocal rank, hit) of one list."""
    found, gained, first = set(), 0.0, 0.0
    for place, item in enumerate(ranking):
        if item in truth and item not in found:
            first = first or 1.0 / (place + 1)
            found.add(item)
            gained += _DISCOUNTS[place]
    ideal = sum(_DISCOUNTS[: min(CUT, len(truth))])
    return len(found) / min(CUT, len(truth)), gained / ideal, first, float(bool(found))
