"""What another ranking would have earned on a randomised log, shown to nobody; or that the log cannot say.

Items at places, with the chance that each had to be there (item-position model): a ranking earns at a place what its
item earned whenever chance put it there. Nothing is said where chance put it there too rarely or never.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
LEAST_SUPPORT, LEAST_EFFECTIVE, MOST_WEIGHT = 0.9, 100.0, 0.05


@dataclass(frozen=True)
class Randomised:
    """N searches of a log whose lists were drawn with known chances.

    Attributes:
        query: int64 [N], number of each search's query.
        item: int64 [N, K], numbers of the shown items; -1 is an empty place.
        propensity: float64 [N, K], chance that the place held this item.
        reward: float64 [N, K], what was done with it, such as 1 for a click.
        unit: int64 [N], whose search it is; searches of one unit may depend on each other.
    """

    query: NDArray[np.int64]
    item: NDArray[np.int64]
    propensity: Floats
    reward: Floats
    unit: NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """Whether a log can speak of a ranking.

    Attributes:
        supported: share of the ranking's places whose item the log has shown there for the same query, by searches.
        effective: effective sample size of the weights, (sum w)^2 / sum w^2 (Kish).
        searches: how many there are.
        largest: the largest weight's share of all.
        mean_weight: 1 where the chances are right and everything is supported.
    """

    supported: float
    effective: float
    searches: int
    largest: float
    mean_weight: float

    @property
    def missing(self) -> list[str]:
        """Why nothing can be said, a clause each; none where something can."""
        found = []
        if self.supported < LEAST_SUPPORT:
            share = f"{1 - self.supported:.0%}"
            found.append(f"{share} of the ranking's places hold an item that the log never shows there")
        if self.effective < LEAST_EFFECTIVE:
            found.append(f"the effective sample size is {self.effective:.0f} of {self.searches:,} searches")
        if self.largest > MOST_WEIGHT:
            found.append(f"one search alone has {self.largest:.0%} of all weight")
        return found


@dataclass(frozen=True)
class Value:
    """An estimate per search.

    Attributes:
        value: what a search would earn.
        gain: beyond what the log's searches earned; low, high: bounds of its 95 % interval.
    """

    value: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Counterfactual:
    """Estimates of a ranking; all None where the log cannot speak of it (`overlap.missing` says why).

    Attributes:
        overlap: the diagnostics.
        logged: what the log's searches earned.
        ips, snips, dr: by inverse propensities, self-normalised, and doubly robust.
    """

    overlap: Overlap
    logged: float
    ips: Value | None = None
    snips: Value | None = None
    dr: Value | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "missing": self.overlap.missing}


def counterfactual(log: Randomised, target: NDArray[np.int64], foretold: Floats) -> Counterfactual:
    """Estimates what a ranking would have earned.

    Args:
        log: the randomised searches.
        target: int64 [N, K], what the ranking shows for each search; -1 is an empty place, other numbers than those of
            the log are items that it never showed.
        foretold: float64 [N, K], what a model expects of the target's item at its place; of a model that has not seen
            the search. It lowers the variance and cannot bias the estimate as long as the chances are right.

    Source: Horvitz and Thompson 1952 (IPS); Swaminathan and Joachims 2015, The Self-Normalized Estimator for
    Counterfactual Learning (SNIPS); Dudík, Langford and Li 2011, Doubly Robust Policy Evaluation and Learning; item at
    place as in Li et al. 2018, Offline Evaluation of Ranking Policies with Click Models.
    """
    there = target >= 0
    same = there & (target == log.item) & (log.propensity > 0)
    weight = np.where(same, 1.0 / np.where(same, log.propensity, 1.0), 0.0)
    overlap = _overlap(log, target, there, weight)
    earned = log.reward.sum(axis=1)
    told = Counterfactual(overlap, float(earned.mean()))
    if overlap.missing:
        return told
    plain = (weight * log.reward).sum(axis=1)
    # self-normalised by place; its influence on each search is linearised
    mean = weight.mean(axis=0)
    usable = mean > 0
    rate = np.divide((weight * log.reward).mean(axis=0), mean, out=np.zeros_like(mean), where=usable)
    filled = there.mean(axis=0)
    off = np.divide(weight * (log.reward - rate), mean, out=np.zeros_like(weight), where=usable)
    influence = (off * filled).sum(axis=1)
    normal = float((rate * filled).sum())
    expected = np.where(there, foretold, 0.0)
    robust = (expected + weight * (log.reward - expected)).sum(axis=1)
    return Counterfactual(
        overlap, told.logged,
        _value(plain, earned, log.unit), _value(normal + influence, earned, log.unit), _value(robust, earned, log.unit),
    )  # fmt: skip


def _overlap(log: Randomised, target: NDArray[np.int64], there: NDArray[np.bool_], weight: Floats) -> Overlap:
    places = np.broadcast_to(np.arange(target.shape[1]), target.shape)
    queries = np.broadcast_to(log.query[:, None], target.shape)
    shown = set(zip(*(cells[log.item >= 0].tolist() for cells in (queries, places, log.item)), strict=True))
    wanted = list(zip(*(cells[there].tolist() for cells in (queries, places, target)), strict=True))
    supported = sum(cell in shown for cell in wanted) / len(wanted) if wanted else 0.0
    total = float(weight.sum())
    of_search = weight.sum(axis=1)
    effective = total**2 / float((of_search**2).sum()) if total else 0.0
    largest = float(of_search.max()) / total if total else 1.0
    return Overlap(supported, effective, len(target), largest, total / max(1, int(there.sum())))


def _value(per_search: Floats, earned: Floats, unit: NDArray[np.int64]) -> Value:
    """The mean, and the gain over what was earned with an interval for which only units are independent."""
    gains = per_search - earned
    gain, count = float(gains.mean()), len(gains)
    sums = np.bincount(unit, gains - gain)
    half = float(norm.ppf(0.975)) * math.sqrt(float((sums**2).sum())) / count
    return Value(float(per_search.mean()), gain, gain - half, gain + half)
