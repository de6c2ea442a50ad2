"""Item-item weights from who took what: how much an item of the history speaks for every other item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from tfrec.retrieval.parts import part_of_rows

_CELLS = 16 << 20  # float32 weights alive at once where the whole matrix need not be
_SPARSE = 0.1  # share of pairs that are not 0
_DOUBLE_UP_TO = 8000  # items; a larger inverse in float64 would take gigabytes


@dataclass(frozen=True)
class ItemWeights:
    """A sparse matrix [N, N] with an empty diagonal; row = item of the history, column = item scored.

    A part of it has fewer columns, and all rows.

    Attributes:
        size: N, number of items scored.
        starts: int64 [N + 1], row i's entries are at starts[i] .. starts[i + 1].
        items: int32 [P], columns.
        weights: float32 [P].
    """

    size: int
    starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray

    def part(self, first: int, end: int) -> ItemWeights:
        """The columns first <= item < end."""
        starts, inside = part_of_rows(self.starts, self.items, first, end)
        return ItemWeights(end - first, starts, self.items[inside] - np.int32(first), self.weights[inside])

    def matrix(self) -> Any:
        """The weights as CSR float32 [N, N]."""
        return sp.csr_matrix((self.weights, self.items, self.starts), (self.size, self.size))


def ease(purchases: Any, regularisation: float = 300.0, neighbours: int = 200) -> ItemWeights:
    """The best linear weights with an empty diagonal: B = -P / diag(P), P = (X'X + lambda I)^-1.

    Items that nobody took have no weights and cost nothing. Time grows with the cube of the items that were taken,
    memory with the square.

    Args:
        purchases: CSR [U, N], 1 where a shopper took an item.
        regularisation: lambda, above 0.
        neighbours: per item scored the number of others that may speak for it, the largest weights by absolute value.

    Source: Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data.
    """
    taken = np.flatnonzero(np.diff(purchases.tocsc().indptr))
    kind = np.float64 if len(taken) <= _DOUBLE_UP_TO else np.float32
    some = purchases[:, taken].astype(kind)
    gram = (some.T @ some).toarray()
    gram[np.diag_indices(len(taken))] += regularisation
    inverse = scipy.linalg.inv(gram, overwrite_a=True, check_finite=False) if len(taken) else gram
    weights = (-inverse / np.diag(inverse)[:, None]).astype(np.float32)  # the transpose of B, P being symmetric
    return _strongest([weights], taken, purchases.shape[1], neighbours)


def item_knn(purchases: Any, shrinkage: float = 10.0, neighbours: int = 200) -> ItemWeights:
    """Cosine between the items' columns, shrunk where few shoppers support it.

    Args:
        purchases: CSR [U, N], 1 where a shopper took an item, or less where that is long ago.
        shrinkage: added to the denominator, in shoppers, at least 0.
        neighbours: per item scored the number of others that may speak for it, the largest weights.

    Source: Sarwar et al. 2001; shrinkage after Bell & Koren 2007.
    """
    size = purchases.shape[1]
    matrix = purchases.astype(np.float32)
    by_item = matrix.T.tocsr()
    norms = np.sqrt(np.asarray(by_item.multiply(by_item).sum(axis=1), np.float32)).ravel()
    step = max(1, _CELLS // max(1, size))

    def blocks() -> Iterator[Any]:
        for first in range(0, size, step):
            both = (by_item[first : first + step] @ matrix).tocsr()
            scored = np.repeat(first + np.arange(both.shape[0]), np.diff(both.indptr))
            both.data /= norms[scored] * norms[both.indices] + np.float32(shrinkage) + np.float32(1e-9)
            # Where most pairs have something to sort, sorting whole rows is three times as fast.
            yield both if both.nnz < _SPARSE * both.shape[0] * size else both.toarray()

    return _strongest(blocks(), np.arange(size), size, neighbours)


def als(
    purchases: Any, seed: int, factors: int = 64, regularisation: float = 1.0, alpha: float = 10.0,
    neighbours: int = 200, iterations: int = 15,
) -> ItemWeights:  # fmt: skip
    """Weights of a matrix factorisation: W = alpha Y (Y'Y + lambda I)^-1 Y'.

    That is how the factorisation scores a shopper whose factors are solved from the history, with the confidence of the
    few items in it left out of the inverse, so that one matrix serves all shoppers.

    Args:
        purchases: CSR [U, N], 1 where a shopper took an item.
        seed: of the start values.
        factors: length of the vectors.
        regularisation: lambda, of their squared lengths.
        alpha: weight of a purchase; what was not taken weighs 1.
        neighbours: per item scored the number of others that may speak for it, the largest weights by absolute value.
        iterations: rounds over shoppers and items.

    Raises:
        ImportError: the package implicit is not installed.

    Source: Hu, Koren & Volinsky 2008, Collaborative Filtering for Implicit Feedback Datasets.
    """
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=factors, regularization=regularisation, alpha=alpha, iterations=iterations, random_state=seed,
        num_threads=1,
    )  # fmt: skip
    model.fit(purchases.astype(np.float32).tocsr(), show_progress=False)
    vectors = np.asarray(model.item_factors, np.float64)
    solved = alpha * np.linalg.solve(vectors.T @ vectors + regularisation * np.eye(vectors.shape[1]), vectors.T)
    step = max(1, _CELLS // max(1, len(vectors)))
    blocks = ((vectors[first : first + step] @ solved).astype(np.float32) for first in range(0, len(vectors), step))
    return _strongest(blocks, np.arange(len(vectors)), len(vectors), neighbours)


def _strongest(blocks: Any, names: np.ndarray, size: int, neighbours: int) -> ItemWeights:
    """Keeps what speaks strongest for each item.

    Args:
        blocks: rows of the transposed weights in order, float32 [R, M], dense or CSR: row = item scored, column =
            item of the history; dense ones are overwritten.
        names: the items that the M rows and columns stand for, rising, int [M].
        size: N.
        neighbours: entries kept per row. Cutting per item scored, not per item of the history, gave item-kNN a fifth
            more Recall@20 on purchases: a popular item may then speak for many.
    """
    scored, spoken, weights = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    first = 0
    for block in blocks:
        row, column, values = (_of_pairs if sp.issparse(block) else _of_rows)(block, first, neighbours)
        scored.append(names[first + row])
        spoken.append(names[column])
        weights.append(values)
        first += block.shape[0]
    columns, rows_of, data = np.concatenate(scored), np.concatenate(spoken), np.concatenate(weights)
    order = np.lexsort((columns, rows_of))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows_of, minlength=size))]).astype(np.int64)
    return ItemWeights(size, starts, columns[order].astype(np.int32), data[order])


def _of_rows(block: np.ndarray, first: int, neighbours: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values of what is kept of a dense block; of equal ones the lower item."""
    rows = np.arange(len(block))
    block[rows, first + rows] = 0.0
    chosen = np.argsort(-np.abs(block), axis=1, kind="stable")[:, :neighbours]
    values = np.take_along_axis(block, chosen, axis=1)
    kept = values != 0
    return np.repeat(rows, kept.sum(axis=1)), chosen[kept], values[kept]


def _of_pairs(block: Any, first: int, neighbours: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of a sparse block, where nearly all pairs of items have nothing to sort."""
    row = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    pair = np.flatnonzero((block.indices != first + row) & (block.data != 0))
    row, column, values = row[pair], block.indices[pair], block.data[pair]
    order = np.lexsort((column, -np.abs(values), row))
    place = np.arange(len(order)) - np.searchsorted(row, row)  # rows rise, and sorting leaves each where it was
    kept = order[place < neighbours]
    return row[kept], column[kept], values[kept]
