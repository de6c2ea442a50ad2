"""From what a click model learned to gains: attractiveness, carts and purchases as one value of each pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.model import Fitted
from tfrec.clicks.prior import fitted_prior


@dataclass(frozen=True)
class Gains:
    """What P pairs are worth.

    Attributes:
        gain: float64 [P], 0..1: the pair's value over the best of its query.
        value: float64 [P]: the expected weight of what a shopper does who looks at the item.
        confidence: float64 [P], 0..1: how much of the attractiveness comes from the pair's own impressions.
    """

    gain: NDArray[np.float64]
    value: NDArray[np.float64]
    confidence: NDArray[np.float64]


def gains_of(
    fitted: Fitted,
    query: NDArray[np.int64],
    stronger: Mapping[str, NDArray[np.float64]],
    weights: Mapping[str, float],
) -> Gains:
    """The gain of every pair.

    Carts and purchases follow a click, wherever the item stood, so their shares of the clicks need no correction by
    place; shares of few clicks are shrunk to the shop's. A pair is worth
    attractiveness x (weight of a click + sum of each action's weight x its share of the clicks).

    The best pair of a query has gain 1, unless even that is worth less than the shop's average shown item: then the
    average is what counts as 1. A pair that few impressions tell of is near the average, never a query's best by luck.

    Args:
        fitted: the click model's result.
        query: int64 [P], number of each pair's query.
        stronger: action -> float64 [P], lists in which the pair had it (cart, purchase).
        weights: of click and of each action.

    Returns:
        gains, values and confidences.
    """
    worth = np.full(len(query), float(weights["click"]))
    average = float(weights["click"])
    for action, counts in stronger.items():
        weight = float(weights.get(action, 0.0))
        if weight and counts.any():
            clicks = np.maximum(fitted.successes, counts)
            prior = fitted_prior(counts, clicks)
            worth += weight * prior.shrunk(counts, clicks)
            average += weight * prior.mean
    value = fitted.attractiveness * worth
    best = np.zeros(int(query.max()) + 1 if len(query) else 0)
    np.maximum.at(best, query, value)
    best = np.maximum(best, fitted.prior.mean * average)
    gain = np.divide(value, best[query], out=np.zeros(len(query)), where=best[query] > 0)
    return Gains(np.minimum(gain, 1.0), value, fitted.confidence)
