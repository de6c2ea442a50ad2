"""Models that count clicks over looks at places: the naive click-through rate, and clicks over expected clicks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.lists import Cells, Lists, sums
from tfrec.clicks.model import ClickModel, Fitted, row_likelihood
from tfrec.clicks.prior import fitted_prior


class ByPlace(ClickModel):
    """P(click) = examination of the place x attractiveness of the item, whatever was clicked above."""

    @abstractmethod
    def parameters(self, lists: Lists) -> dict[str, Any]:
        """What is learned beside the pairs; `examination`: how much each place is looked at, 1 for all without it."""

    def fit(self, lists: Lists) -> Fitted:
        cells, parameters = lists.cells, self.parameters(lists)
        trials = sums(cells.pair, cells.shown * _examination(parameters, cells.position), lists.pairs)
        successes = sums(cells.pair, cells.clicked, lists.pairs)
        prior = fitted_prior(successes, trials)
        return Fitted(self.name, successes, trials, prior.shrunk(successes, trials), prior, parameters)

    def log_likelihood(self, fitted: Fitted, lists: Lists) -> NDArray[np.float64]:
        chance = fitted.attractiveness[lists.pair] * _examination(fitted.parameters, lists.position)
        return row_likelihood(chance, lists.clicked)


class ClickThroughRate(ByPlace):
    """Clicks per impression, wherever it was: what everything else is compared with."""

    name = "ctr"

    def parameters(self, lists: Lists) -> dict[str, Any]:
        return {}


class ClicksOverExpected(ByPlace):
    """Clicks over those that the average item would have had at the same places.

    It takes the average item to be equally good everywhere, so that a ranker that puts good items on top makes the top
    look better looked at than it is. Its attractiveness is that of the first place.

    Source: Zhang and Jones 2007, Comparing Click Logs and Editorial Labels for Training Query Rewriting (COEC).
    """

    name = "coec"

    def parameters(self, lists: Lists) -> dict[str, Any]:
        rate = rate_by_place(lists.cells, lists.depth)
        return {"examination": (rate / (rate.max() or 1.0)).tolist()}


def rate_by_place(cells: Cells, depth: int) -> NDArray[np.float64]:
    """Clicks per impression at each place, 0 where nothing was shown, float64 [depth]."""
    clicked = sums(cells.position, cells.clicked, depth)
    shown = sums(cells.position, cells.shown, depth)
    return np.divide(clicked, shown, out=np.zeros(depth), where=shown > 0)


def _examination(parameters: dict[str, Any], position: NDArray[Any]) -> NDArray[np.float64]:
    """The chance that a place is looked at; places deeper than any that was fitted have the last one's."""
    examined = np.asarray(parameters.get("examination", [1.0]), np.float64)
    return examined[np.minimum(position, len(examined) - 1)]
