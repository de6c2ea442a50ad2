"""Models that count: the naive click-through rate, and clicks over expected clicks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.lists import Lists, sums
from tfrec.clicks.model import ClickModel, Fitted, row_likelihood
from tfrec.clicks.prior import fitted_prior


class ClickThroughRate(ClickModel):
    """Clicks per impression, wherever it was: what everything else is compared with."""

    name = "ctr"
    source = "the naive estimate"

    def fit(self, lists: Lists) -> Fitted:
        cells = lists.cells
        shown = sums(cells.pair, cells.shown, lists.pairs)
        clicked = sums(cells.pair, cells.clicked, lists.pairs)
        prior = fitted_prior(clicked, shown)
        return Fitted(self.name, clicked, shown, prior.shrunk(clicked, shown), prior)

    def log_likelihood(self, fitted: Fitted, lists: Lists) -> NDArray[np.float64]:
        return row_likelihood(fitted.attractiveness[lists.pair], lists.clicked)


class ClicksOverExpected(ClickModel):
    """Clicks over those that the average item would have had at the same places.

    It takes the average item to be equally good everywhere, so that a ranker that puts good items on top makes the top
    look better looked at than it is. Its attractiveness is that of the first place.

    Source: Zhang and Jones 2007, Comparing Click Logs and Editorial Labels for Training Query Rewriting (COEC).
    """

    name = "coec"
    source = "Zhang and Jones 2007"

    def fit(self, lists: Lists) -> Fitted:
        cells = lists.cells
        clicked = sums(cells.position, cells.clicked, lists.depth)
        shown = sums(cells.position, cells.shown, lists.depth)
        by_position = np.divide(clicked, shown, out=np.zeros(lists.depth), where=shown > 0)
        top = by_position.max() or 1.0
        examined = by_position / top
        trials = sums(cells.pair, cells.shown * examined[cells.position], lists.pairs)
        successes = sums(cells.pair, cells.clicked, lists.pairs)
        prior = fitted_prior(successes, trials)
        return Fitted(
            self.name, successes, trials, prior.shrunk(successes, trials), prior,
            {"examination": examined.tolist()},
        )  # fmt: skip

    def log_likelihood(self, fitted: Fitted, lists: Lists) -> NDArray[np.float64]:
        return row_likelihood(fitted.attractiveness[lists.pair] * examination(fitted, lists.position), lists.clicked)


def examination(fitted: Fitted, position: NDArray[np.int16]) -> NDArray[np.float64]:
    """The chance that a place is looked at; places deeper than any that was fitted have the last one's."""
    examined = np.asarray(fitted.parameters["examination"], np.float64)
    return examined[np.minimum(position, len(examined) - 1)]
