"""Collaborative recommenders with a closed form: popularity, item-kNN, EASE. All score a history they never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from tfrec.evaluation.purchases import Purchases, history_matrix, rank_unseen
from tfrec.evaluation.recommendation import CUT

if TYPE_CHECKING:
    from tfrec.data.shoppers import Shopper


@dataclass(frozen=True)
class Popularity:
    """Everybody gets the bestsellers.

    Attributes:
        counts: shoppers per item, float64 [N].
    """

    counts: NDArray[np.float64]

    @classmethod
    def fit(cls, purchases: Purchases, days: float | None = None) -> Popularity:
        """Counts shoppers per item.

        Args:
            purchases: what was taken before the cut.
            days: only those of the last so many days; None counts all. Older ones break ties.
        """
        counts = purchases.counts(days)
        if days is not None:
            every = purchases.counts()
            counts = counts + every / (every.max() + 1.0)
        return cls(counts)

    def recommend(self, shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
        """int32 [U, 20], see `Recommend`."""
        row = self.counts.astype(np.float32)
        excluded = [shopper.excluded for shopper in shoppers]
        return rank_unseen(lambda rows: np.tile(row, (rows.stop - rows.start, 1)), excluded, len(row), CUT)


@dataclass(frozen=True)
class ItemItem:
    """Scores = history times item-item weights; without a history, what sells.

    Attributes:
        weights: [N, N], sparse CSR or dense float32; row = item of the history, column = item scored.
        decay: weight of an item of the history relative to the next newer one.
        counts: shoppers per item, float64 [N].
    """

    weights: Any
    decay: float
    counts: NDArray[np.float64]

    def recommend(self, shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
        """int32 [U, 20], see `Recommend`."""
        histories = [shopper.history for shopper in shoppers]
        size = self.weights.shape[0]
        past = history_matrix(histories, size, self.decay)

        def scores(rows: slice) -> NDArray[np.float32]:
            block = past[rows] @ self.weights
            block = block.toarray() if sp.issparse(block) else np.asarray(block)
            block[np.diff(past.indptr)[rows] == 0] = self.counts
            return block

        return rank_unseen(scores, [shopper.excluded for shopper in shoppers], size, CUT)


def item_knn(purchases: Purchases, neighbours: int = 100, shrinkage: float = 10.0, decay: float = 1.0) -> ItemItem:
    """Cosine between the items' columns, shrunk where few shoppers support it, cut to the nearest ones.

    Args:
        purchases: what was taken before the cut.
        neighbours: per item the number of others that may speak for it.
        shrinkage: added to the cosine's denominator, in shoppers.
        decay: see `ItemItem`.

    Source: Sarwar et al. 2001; shrinkage after Bell & Koren 2007.
    """
    matrix = purchases.matrix.astype(np.float32)
    norms = np.sqrt(np.asarray(matrix.sum(axis=0), np.float32)).ravel()  # entries are 1, so their squares are, too
    both = (matrix.T @ matrix).tocsr()
    both.setdiag(0)
    both.eliminate_zeros()
    row = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    both.data = both.data / (norms[row] * norms[both.indices] + np.float32(shrinkage))
    # the weights are symmetric until the cut, which is by row: by the item that is scored
    return ItemItem(_keep_best(both, neighbours).T.tocsr(), decay, purchases.counts())


def _keep_best(matrix: Any, most: int) -> Any:
    """The `most` largest entries of every row of a CSR matrix; which of equal ones is fixed, but arbitrary."""
    columns, values, ends = [], [], [0]
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        kept = slice(start, end)
        if end - start > most:
            kept = start + np.argpartition(matrix.data[start:end], end - start - most)[-most:]
        columns.append(matrix.indices[kept])
        values.append(matrix.data[kept])
        ends.append(ends[-1] + len(columns[-1]))
    return sp.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), matrix.shape)


def ease(purchases: Purchases, regularisation: float = 300.0, decay: float = 1.0) -> ItemItem:
    """The best linear item-item weights with an empty diagonal: B = I - P / diag(P), P = (X'X + λI)^-1.

    Items that nobody took have no weights, so they cost nothing.

    Args:
        purchases: what was taken before the cut.
        regularisation: λ, above 0.
        decay: see `ItemItem`.

    Source: Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data.
    """
    matrix = purchases.matrix
    active = np.flatnonzero(purchases.counts() > 0)
    some = matrix[:, active].astype(np.float64)
    gram = (some.T @ some).toarray()
    gram[np.diag_indices(len(active))] += regularisation
    triangle, _ = scipy.linalg.lapack.dpotri(scipy.linalg.cholesky(gram, overwrite_a=True, check_finite=False))
    inverse = triangle + np.triu(triangle, 1).T
    weights = np.zeros((matrix.shape[1],) * 2, np.float32)
    weights[np.ix_(active, active)] = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return ItemItem(weights, decay, purchases.counts())
