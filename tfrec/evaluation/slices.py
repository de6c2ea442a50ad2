"""Whom a model serves well: quality per shopper's activity, per item's popularity, per group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfrec.evaluation.recommendation import CUT, RECALL
from tfrec.evaluation.significance import Comparison, compare

HISTORY, ITEMS, NEWCOMERS = "history", "items bought", "new shoppers"
ACTIVITY = ((1, 4), (5, 19), (20, 99), (100, None))
COLD, TAIL, MIDDLE, HEAD = "never sold before", "tail", "middle", "head"
MOST_GROUPS, LEAST_SHOPPERS = 10, 20


@dataclass(frozen=True)
class Slice:
    """A part of the queries or shoppers, or of the items bought, and how each system serves it.

    Attributes:
        kind: what the parts are made by.
        label: which part.
        count: how many queries or shoppers count.
        means: system -> mean of the metric over them.
        comparison: the contender against a baseline, paired; None without both.
    """

    kind: str
    label: str
    count: int
    means: dict[str, float]
    comparison: Comparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        compared = self.comparison.to_dict() if self.comparison is not None else None
        return {"kind": self.kind, "label": self.label, "count": self.count, "means": self.means} | {
            "comparison": compared
        }


def recall_of(truths: Sequence[Sequence[int]], ranked: NDArray[np.int32], wanted: NDArray[np.bool_]) -> Any:
    """Recall@20 of the wanted items alone.

    Args:
        truths: per shopper the right items.
        ranked: int [U, k], -1 = empty place.
        wanted: bool [N], the items that count.

    Returns:
        float64 [U]: wanted right items among the first 20, divided by min(20, all of them); NaN where there is none.
    """
    values = np.full(len(truths), np.nan)
    for row, truth in enumerate(truths):
        right = {item for item in truth if wanted[item]}
        if right:
            values[row] = len(right.intersection(ranked[row, :CUT].tolist())) / min(CUT, len(right))
    return values


def activity_bands(histories: Sequence[Sequence[int]]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Shoppers by the number of distinct items in their history: (label, bool [U]) of every band with somebody."""
    lengths = np.array([len(history) for history in histories])
    for least, most in ACTIVITY:
        inside = (lengths >= least) & (lengths <= (most if most is not None else math.inf))
        if inside.any():
            yield f"{least}–{most} items" if most is not None else f"{least} items and more", inside


def popularity_bands(counts: ArrayLike) -> dict[str, NDArray[np.bool_]]:
    """Items by what was sold of them: the never sold ones, and three bands that each hold a third of the sales.

    Args:
        counts: number [N], sales before the cut.

    Returns:
        label -> bool [N], from cold to head; an item whose sales straddle a border belongs to the more popular band.
    """
    counts = np.asarray(counts, np.float64)
    order = np.argsort(-counts, kind="stable")
    before = np.empty(len(counts))
    before[order] = (np.cumsum(counts[order]) - counts[order]) / max(counts.sum(), 1.0)
    sold = counts > 0
    return {
        COLD: ~sold,
        TAIL: sold & (before >= 2 / 3),
        MIDDLE: sold & (before >= 1 / 3) & (before < 2 / 3),
        HEAD: sold & (before < 1 / 3),
    }


def largest_groups(values: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Rows by value, largest groups first, at most ten, without the empty value: value -> bool [rows]."""
    array = np.asarray(values, object)
    names, counts = np.unique([value for value in values if value], return_counts=True)
    chosen = names[np.argsort(-counts, kind="stable")][:MOST_GROUPS]
    return {str(name): array == name for name in chosen}


def make_slice(
    kind: str, label: str, values: Mapping[str, NDArray[np.float64]], pair: tuple[str, str] | None, seed: int,
    resamples: int, metric: str = RECALL,
) -> Slice | None:  # fmt: skip
    """One slice from every system's values per query or shopper (NaN = does not count), or None when nobody counts.

    Args:
        kind: what the parts are made by.
        label: which part.
        values: system -> float64 [U].
        pair: (contender, baseline) to compare, or None.
        seed: of the resampling.
        resamples: random draws of the interval and the test.
        metric: what the values are of.
    """
    count = int(np.isfinite(next(iter(values.values()))).sum())
    if count == 0:
        return None
    means = {name: float(np.nanmean(row)) for name, row in values.items()}
    compared = compare(values[pair[0]], values[pair[1]], seed, metric, resamples) if pair else None
    return Slice(kind, label, count, means, compared)


def fairness_gaps(slices: Sequence[Slice], kind: str) -> dict[str, float]:
    """The largest minus the smallest mean Recall@20 among a kind's groups of at least 20 shoppers, per system.

    Returns:
        system -> gap; empty with fewer than two such groups.
    """
    groups = [part for part in slices if part.kind == kind and part.count >= LEAST_SHOPPERS]
    if len(groups) < 2:
        return {}
    return {
        system: max(part.means[system] for part in groups) - min(part.means[system] for part in groups)
        for system in groups[0].means
    }
