"""Scorer of relations: what a shop's own table ties to the items of the history."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.config.retrieval import RELATION
from tfrec.retrieval.collaborative import CollaborativeScorer
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.relations import Relations


class RelatedScorer(CollaborativeScorer):
    """The sum, over the history, of the items that are related to it in one way; the latest say most.

    So what belongs to the last purchase becomes a candidate, however seldom it sold.

    Args:
        weights: 1 where the column's item is related to the row's.
        half_life: after that many later items an item counts half; None counts all alike.
        kind: the relation.
    """

    sparse = True
    joins = True

    def __init__(self, weights: ItemWeights, half_life: float | None, kind: str) -> None:
        super().__init__(weights, half_life)
        self.label, self._kind = f"{RELATION}{kind}", kind

    def part(self, first: int, end: int) -> RelatedScorer:
        """See Scorer."""
        return RelatedScorer(self.weights.part(first, end), self._half_life, self._kind)


def related_scorer(relations: Relations, kind: str, half_life: float | None) -> RelatedScorer | None:
    """The scorer of a kind; None where no item is related in that way to another.

    Args:
        relations: of the shop.
        kind: one of `relations.names`.
        half_life: see RelatedScorer.
    """
    weights = related_weights(relations, kind)
    return None if weights is None else RelatedScorer(weights, half_life, kind)


def related_weights(relations: Relations, kind: str) -> ItemWeights | None:
    """1 where the column's item is related to the row's; None where nothing is. See `Relations.matrix`."""
    matrix: Any = relations.matrix(kind)
    if not matrix.nnz:
        return None
    return ItemWeights(
        relations.size, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32)
    )
