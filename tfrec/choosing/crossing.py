"""What a choice reaches on queries that it was not made by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Chosen = TypeVar("Chosen")


def out_of_folds(
    folds: NDArray[np.int64],
    choose: Callable[[NDArray[np.int64]], Chosen],
    judge: Callable[[Chosen, NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Judges each fold by what the other folds choose: cross-validation of the whole procedure of choosing.

    Whatever `choose` does inside (folds of its own, averages, a return to the default) is a part of what is estimated;
    nothing that it looks at may know the fold that is judged (Varma & Simon 2006, nested cross-validation).

    Args:
        folds: the fold of every request, int64 [Q] (`deal`). With a single fold nothing is left to choose by, and
            `choose` gets no request.
        choose: (numbers of the requests that choose, int64 [R]) -> a choice.
        judge: (choice, numbers of the requests to judge, int64 [R]) -> what they reach, float64 [R].

    Returns:
        float64 [Q].
    """
    reached = np.zeros(len(folds))
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds == fold)
        reached[inside] = judge(choose(np.flatnonzero(folds != fold)), inside)
    return reached
