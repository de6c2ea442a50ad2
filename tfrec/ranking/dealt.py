"""What rankers reach on requests that had no part in their training: folds of them, dealt several times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfrec.choosing.crossing import out_of_folds
from tfrec.choosing.folds import deal
from tfrec.config.ranking import RankingConfig
from tfrec.ranking.examples import Examples, joined
from tfrec.ranking.ranker import Learned
from tfrec.ranking.training import BATCH, corrected, train_ranker

_LEAST_STEPS, _MOST_PASSES = 300, 40
_DEALS = 3  # of the requests into folds


class Dealt(NamedTuple):
    """The outcome for Q requests.

    Attributes:
        before, after: nDCG of each without and with what others teach, float64 [Q].
        folds: the fold of each in the first deal, int64 [Q].
        taught: for each of these folds what the others teach.
    """

    before: NDArray[Any]
    after: NDArray[Any]
    folds: NDArray[np.int64]
    taught: list[Learned]


def dealt(
    section: RankingConfig, examples: Examples, past: Sequence[Examples], keys: Sequence[str], seed: int, task: str
) -> Dealt:
    """Orders every fold by what the other folds teach, three times over.

    Args:
        section: what is trained, and how.
        examples: the Q requests.
        past: others, which teach each time.
        keys: what tells the Q requests apart.
        seed: of deals and start values.
        task: what the ranker is for, as shown with the progress.
    """
    learned: list[Learned] = []

    def judge(one: Learned, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        some = examples.some(rows)
        return some.ndcg(corrected(one, some))

    def reached(start: int) -> NDArray[np.float64]:
        def learn(rows: NDArray[np.int64]) -> Learned:
            learned.append(taught(section, [*past, examples.some(rows)], start, task))
            return learned[-1]

        return out_of_folds(deal(keys, start), learn, judge)

    # One deal and one start of the weights move the mean by as much as many a ranker gains.
    after = np.mean([reached(seed + number) for number in range(_DEALS)], axis=0)
    folds = deal(keys, seed)
    return Dealt(examples.ndcg(), after, folds, learned[: len(np.unique(folds))])


def taught(section: RankingConfig, several: Sequence[Examples], seed: int, task: str) -> Learned:
    """A ranker of all these requests; of few ones it needs more passes."""
    every = joined(several)
    passes = min(_MOST_PASSES, max(section.epochs, round(_LEAST_STEPS * BATCH / len(every.right))))
    return train_ranker(section.model_copy(update={"epochs": passes}), every, seed, f"Training the ranker for {task}")
