"""Clicks that shoppers would make on lists, as a fitted click model has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.model import Fitted


def simulated_clicks(fitted: Fitted, pair: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draws clicks on B lists of R places.

    Args:
        fitted: of any of the models.
        pair: int [B, R], numbers of (query, item) as in the fit; -1 is an empty place at a list's end.
        rng: draws. Two calls with the same state and shape use the same luck for the same places.

    Returns:
        bool [B, R].
    """
    there, shape = pair >= 0, pair.shape
    attracted = there & (rng.random(shape) < fitted.attractiveness[np.maximum(pair, 0)])
    second = rng.random(shape)
    if fitted.model not in ("cascade", "dbn"):
        examined = np.asarray(fitted.parameters.get("examination", [1.0]), np.float64)
        return np.asarray(attracted & (second < examined[np.minimum(np.arange(shape[1]), len(examined) - 1)]))
    if fitted.model == "cascade":
        ends, goes_on = np.ones(shape, bool), np.ones(shape, bool)
    else:
        ends = second < fitted.arrays["satisfaction"][np.maximum(pair, 0)]
        goes_on = rng.random(shape) < fitted.parameters["continuation"]
    looked, clicked = np.ones(len(pair), bool), np.zeros(shape, bool)
    for place in range(shape[1]):
        clicked[:, place] = looked & attracted[:, place]
        looked &= goes_on[:, place] & ~(clicked[:, place] & ends[:, place])
    return clicked
