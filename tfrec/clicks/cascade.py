"""The cascade model: the shopper reads from the top and is done with the first click."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.lists import Block, Lists, sums
from tfrec.clicks.model import ClickModel, Fitted, row_likelihood
from tfrec.clicks.prior import fitted_prior


class Cascade(ClickModel):
    """Everything down to the first click is looked at, nothing below it.

    A second click cannot happen in it; in the likelihood it has the least chance that any click has.

    Source: Craswell, Zoeter, Taylor and Ramsey 2008, An Experimental Comparison of Click Position-Bias Models.
    """

    name = "cascade"

    def fit(self, lists: Lists) -> Fitted:
        trials, successes = np.zeros(lists.pairs), np.zeros(lists.pairs)
        for block in lists.blocks():
            seen = _down_to_first_click(block)
            weight = np.broadcast_to(block.weight[:, None], seen.shape)[seen]
            trials += sums(block.pair[seen], weight, lists.pairs)
            successes += sums(block.pair[seen], weight * block.clicked[seen], lists.pairs)
        prior = fitted_prior(successes, trials)
        return Fitted(self.name, successes, trials, prior.shrunk(successes, trials), prior)

    def log_likelihood(self, fitted: Fitted, lists: Lists) -> NDArray[np.float64]:
        rows = []
        for block in lists.blocks():
            chance = np.where(_down_to_first_click(block), fitted.attractiveness[block.pair], 0.0)
            rows.append(row_likelihood(chance, block.clicked)[block.there])
        return np.concatenate(rows) if rows else np.zeros(0)


def _down_to_first_click(block: Block) -> NDArray[np.bool_]:
    clicks_above: NDArray[np.int64] = np.cumsum(block.clicked, axis=1) - block.clicked
    return block.there & (clicks_above == 0)
