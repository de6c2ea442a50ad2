"""The position-based model: a click needs a place that is looked at and an item that attracts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.lists import Cells, Lists, sums
from tfrec.clicks.rates import ByPlace, rate_by_place

_ROUNDS = 300
_STEP = 1e-4
_EDGE = 1e-6


class PositionBased(ByPlace):
    """P(click) = examination of the place x attractiveness of the item for the query.

    Only pairs that were shown at several places tell how much a place is looked at: a ranker that always puts good
    items on top makes no place look better. The two factors are maximised in turn, each given the other, so that the
    clicks of each pair and of each place add up; the first place counts as looked at. That is the maximum of the
    likelihood of the counts as Poisson's, and stays right however rare the pairs are. Expectation maximisation of
    every single click gives the same where pairs are frequent, and in a long tail, where an attractiveness may not
    exceed 1, takes the lower places for more than twice as looked at as they are (tests/clicks holds both).

    Source: Richardson, Dominowska and Ragno 2007, Predicting Clicks; Craswell et al. 2008, An Experimental Comparison
    of Click Position-Bias Models; Meng and Rubin 1993, Maximum Likelihood Estimation via the ECM Algorithm; pairs at
    several places as in Agarwal et al. 2019, Estimating Position Bias without Intrusive Interventions.
    """

    name = "pbm"

    def parameters(self, lists: Lists) -> dict[str, Any]:
        cells = lists.cells
        telling = _telling(cells, lists.pairs)
        examined = _by_sums(telling, _first_guess(cells, lists.depth), lists.pairs)
        return {"examination": examined.tolist(), "telling_pairs": len(np.unique(telling.pair))}


def _telling(cells: Cells, pairs: int) -> Cells:
    """The cells of pairs that have a click and stand at more than one place."""
    places = sums(cells.pair, np.ones(len(cells.pair)), pairs)
    clicks = sums(cells.pair, cells.clicked, pairs)
    kept = (places > 1)[cells.pair] & (clicks > 0)[cells.pair]
    return Cells(cells.pair[kept], cells.position[kept], cells.shown[kept], cells.clicked[kept])


def _first_guess(cells: Cells, depth: int) -> NDArray[np.float64]:
    """Each place's rate of clicks over the first one's; it stays where no pair tells more."""
    rate = rate_by_place(cells, depth)
    return np.clip(rate / (rate[0] or rate.max() or 1.0), _EDGE, 1.0)


def _by_sums(cells: Cells, examined: NDArray[np.float64], pairs: int) -> NDArray[np.float64]:
    """Both factors in turn, so that the clicks of each pair and of each place are those that the product expects.

    In every cell clicks have the product as their mean, and a pair's estimate is linear in them; so the equations hold
    on average at the true examination, with rare pairs as with frequent ones.
    """
    clicks_of_pair = sums(cells.pair, cells.clicked, pairs)
    clicks_at = sums(cells.position, cells.clicked, len(examined))
    for _ in range(_ROUNDS):
        exposure = sums(cells.pair, cells.shown * examined[cells.position], pairs)
        attractive = clicks_of_pair / np.maximum(exposure, _EDGE)
        expected = sums(cells.position, cells.shown * attractive[cells.pair], len(examined))
        after = np.where(expected > 0, clicks_at / np.maximum(expected, _EDGE), examined)
        after = np.maximum(after / after[0] if after[0] > 0 else after, _EDGE)
        step = np.abs(after - examined).max()
        examined = after
        if step < _STEP:
            break
    return np.minimum(examined, 1.0)
