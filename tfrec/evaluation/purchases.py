"""What shoppers took before a cut, as a sparse matrix: the input of every collaborative baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tfrec.data.ages import days_before_newest
from tfrec.errors import EvaluationError
from tfrec.evaluation.retrieval import best_of_rows

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData
    from tfrec.data.shoppers import Shopper

BEFORE = {"dev": ("train",), "test": ("train", "dev")}
"""What may be known when a split is predicted."""
_CELLS = 16 << 20  # scores alive at once (float32: 64 MiB)
Recommend = Callable[[Sequence["Shopper"]], NDArray[np.int32]]
"""Shoppers to their best items int32 [U, 20], best first, without their history; -1 = empty place."""


@dataclass(frozen=True)
class Purchases:
    """Every shopper's purchases before a cut.

    Attributes:
        matrix: CSR float32 [U, N], 1 where a shopper took an item at least once.
        last: float64 [U, N] of the same sparsity (CSR), days before the cut of the last time, at least 0.
        rows: user_id -> row.
    """

    matrix: Any
    last: Any
    rows: dict[str, int]

    @property
    def size(self) -> int:
        """Number of items N."""
        return int(self.matrix.shape[1])

    def counts(self, days: float | None = None) -> NDArray[np.float64]:
        """How many shoppers took each item, float64 [N]; with `days`, only in the last so many before the cut."""
        if days is None:
            return np.asarray(self.matrix.sum(axis=0), np.float64).ravel()
        recent = self.last.data <= days
        return np.bincount(self.last.indices[recent], minlength=self.size).astype(np.float64)


def purchases_before(shop: ShopData, split: str) -> Purchases:
    """Everything that may be known when a split is predicted: train for dev, train and dev for test.

    Args:
        shop: the prepared data.
        split: dev or test.

    Raises:
        EvaluationError: the split has no earlier interactions.
    """
    if split not in BEFORE or not shop.has_interactions:
        raise EvaluationError(f"There are no purchases before split {split!r}: give data.interactions and dev or test.")
    frame = shop.interactions
    frame = frame.filter(frame["split"].is_in(list(BEFORE[split])))
    users = frame["user_id"].unique(maintain_order=True).to_list()
    rows = {user: row for row, user in enumerate(users)}
    row = np.fromiter((rows[user] for user in frame["user_id"]), np.int64, frame.height)
    item, time = frame["item"].to_numpy(), frame["timestamp"].to_numpy()
    days = days_before_newest(time)
    # the frame is sorted by user and time, so the last row of a pair is its latest
    cell = row * shop.size + item
    _, newest = np.unique(cell[::-1], return_index=True)
    kept = len(cell) - 1 - newest
    shape = (len(users), shop.size)
    last = sp.csr_matrix((days[kept], (row[kept], item[kept])), shape)
    matrix = sp.csr_matrix((np.ones(len(last.data), np.float32), last.indices, last.indptr), shape)
    return Purchases(matrix, last, rows)


def history_matrix(histories: Sequence[Sequence[int]], size: int, decay: float = 1.0) -> Any:
    """Histories as a sparse matrix.

    Args:
        histories: item indices per shopper, oldest first, each item once.
        size: number of items N.
        decay: weight of an item relative to the next newer one, above 0 and at most 1.

    Returns:
        CSR float32 [U, N]; the newest item weighs 1.
    """
    lengths = np.array([len(history) for history in histories], np.int64)
    items = np.fromiter((item for history in histories for item in history), np.int64, int(lengths.sum()))
    ages = np.concatenate([np.arange(n)[::-1] for n in lengths]) if len(items) else np.zeros(0)
    weights = np.power(decay, ages).astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return sp.csr_matrix((weights, items, ends), (len(histories), size))


def rank_unseen(
    scores: Callable[[slice], NDArray[np.float32]], excluded: Sequence[Sequence[int]], size: int, k: int
) -> NDArray[np.int32]:
    """The k best items of every shopper without what is excluded: the history, mostly.

    Args:
        scores: a range of rows to its scores float32 [rows, N]; may be overwritten.
        excluded: item indices per shopper.
        size: number of items N.
        k: number of items wanted, at least 1.

    Returns:
        int32 [U, k], best first, equal scores by lower index; -1 = empty place.
    """
    found = np.full((len(excluded), k), -1, np.int32)
    for rows in _ranges(len(excluded), size):
        block = np.array(scores(rows), np.float32)
        for row, items in enumerate(excluded[rows]):
            block[row, list(items)] = -np.inf
        columns, values = best_of_rows(block, k)
        found[rows, : columns.shape[1]] = np.where(np.isneginf(values), -1, columns)
    return found


def _ranges(count: int, size: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(1, size))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
