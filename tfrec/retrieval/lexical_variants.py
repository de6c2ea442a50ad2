"""The lexical scorer as labelled queries choose it: by all of them to rank, by other folds to be measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.split import FOLDS
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_tuning.stage import known_judgments, lexical_tuner
from tfrec.retrieval.lexical_tuning.tuner import LexicalTuner, Tuned
from tfrec.retrieval.normalising import normalisation_of
from tfrec.tensorflow_setup import tf


def tuner_of(config: Config, shop: ShopData) -> LexicalTuner | None:
    """The settings that the few labelled queries of a shop weigh; None where they have nothing to choose."""
    if shop.choosing_split != FOLDS or config.retrieval.lexical.tune != "auto":
        return None
    return lexical_tuner(config, shop, known_judgments(shop, [FOLDS]))


class LexicalVariants:
    """See tfrec.retrieval.evidence.Variants.

    Args:
        tuner: the settings, and the labelled queries.
        queries: Q labelled queries, read as they were typed.
        normalisation: of the fusion.
    """

    def __init__(self, tuner: LexicalTuner, queries: Sequence[str], normalisation: str) -> None:
        self._tuner, self._queries = tuner, queries
        self._normalise = normalisation_of(normalisation, LexicalScorer.sparse)

    def choose(self, rows: NDArray[np.int64]) -> Tuned:
        """The shares of the settings by these queries alone, int64 [R]; of none all alike."""
        return self._tuner.tuned([self._queries[row] for row in rows])

    def parts(self, settings: Tuned, rows: NDArray[np.int64], items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Normalised scores float32 [R, P] of items int32 [R, P] (-1 in unused places) for these queries."""
        found = np.zeros(items.shape, np.float32)
        for place, row in enumerate(rows):
            scores = tf.constant(self._tuner.scores(self._queries[row], settings)[None])
            found[place] = np.where(items[place] >= 0, self._normalise(scores).numpy()[0][items[place]], 0.0)
        return found


def scorers_without(tuner: LexicalTuner, folds: Sequence[Sequence[str]]) -> list[LexicalScorer]:
    """For each fold of labelled queries the scorer that the queries of the other folds choose."""
    every = {query for fold in folds for query in fold}
    return [LexicalScorer(tuner.index(tuner.tuned(sorted(every - set(fold))))) for fold in folds]
