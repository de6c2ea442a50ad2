"""Exact top-k over the whole catalogue by a blocked matrix product: the score matrix never exists as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfrec.errors import EvaluationError

_BUFFER_SCORES = 8 << 20  # scores alive at once (float32: 32 MiB), whatever the number of queries and items


def top_k(
    queries: ArrayLike,
    catalogue: ArrayLike,
    k: int,
    exclude: Sequence[ArrayLike | None] | None = None,
    block: int = 65536,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Finds the k items with the largest dot product for every query; no approximation.

    Equal scores are ordered by item index, lower first. Places that no item can fill (k above the catalogue's
    size, or too many items excluded) hold index -1 and score -inf, always at the end of the row.

    Args:
        queries: float32[Q, D], one vector per query.
        catalogue: float32[N, D], one vector per item; row number = item index. May be a memory map.
        k: number of items wanted per query, at least 1.
        exclude: for each query the item indices that must not appear (integers, any order), or None. Indices
            outside the catalogue are ignored, so -1 can stand for "unknown".
        block: items scored at once, at least 1.

    Returns:
        (item indices int32[Q, k], scores float32[Q, k]), best first.

    Raises:
        EvaluationError: shapes do not fit, k or block is below 1, or a vector holds NaN or infinity.
    """
    queries, catalogue = _vectors(queries, "query"), _vectors(catalogue, "item")
    if queries.shape[1] != catalogue.shape[1]:
        raise EvaluationError(
            f"Query vectors have {queries.shape[1]} dimensions but item vectors have {catalogue.shape[1]}: "
            "encode both with the same model."
        )
    if k < 1 or block < 1:
        raise EvaluationError(f"k and block must be at least 1, but are {k} and {block}.")
    count, size = len(queries), len(catalogue)
    if exclude is not None and len(exclude) != count:
        raise EvaluationError(f"exclude has {len(exclude)} entries for {count} queries: give one entry per query.")
    indices = np.full((count, k), -1, np.int32)
    scores = np.full((count, k), -np.inf, np.float32)
    rows = max(1, _BUFFER_SCORES // max(1, min(block, size)))
    for first in range(0, count, rows):
        part = slice(first, min(first + rows, count))
        banned = None if exclude is None else [_as_indices(items) for items in exclude[part]]
        best_indices, best_scores = _search_blocks(queries[part], catalogue, k, banned, block)
        width = best_indices.shape[1]
        indices[part, :width], scores[part, :width] = best_indices, best_scores
    indices[np.isneginf(scores)] = -1
    return indices, scores


def best_of_rows(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Picks the k best columns of every row; equal scores go to the lower column.

    Args:
        scores: float32[R, W], no NaN; -inf marks what must come last.
        k: number of columns wanted, at least 1.

    Returns:
        (columns int64[R, min(k, W)], their scores float32[R, min(k, W)]), best first.
    """
    rows, width = scores.shape
    k = min(k, width)
    if k == width:
        columns = np.broadcast_to(np.arange(width), (rows, width))
    else:
        kth = np.partition(scores, width - k, axis=1)[:, width - k]
        keep = scores >= kth[:, None]
        kept = np.count_nonzero(keep, axis=1)
        for row in np.flatnonzero(kept > k):  # ties at the border: drop the ones with the highest index
            ties = np.flatnonzero(scores[row] == kth[row])
            keep[row, ties[k - kept[row] :]] = False
        columns = (np.flatnonzero(keep) % width).reshape(rows, k)
    values = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)


def to_rankings(
    queries: Sequence[str], indices: NDArray[np.int32], scores: NDArray[np.float32], item_ids: Sequence[str]
) -> dict[str, list[tuple[str, float]]]:
    """Turns top-k arrays into the form that `evaluate_rankings` and TREC files use.

    Args:
        queries: Q query texts or ids, the keys of the result.
        indices: int32[Q, k] item indices, -1 = empty place.
        scores: float32[Q, k].
        item_ids: N item ids; position = item index.

    Returns:
        query -> [(item id, score), ...], best first, without the empty places.
    """
    return {
        query: [(item_ids[item], score) for item, score in zip(row, values, strict=True) if item >= 0]
        for query, row, values in zip(queries, indices.tolist(), scores.tolist(), strict=True)
    }


def _search_blocks(
    queries: NDArray[np.float32],
    catalogue: NDArray[np.float32],
    k: int,
    banned: list[NDArray[np.int64]] | None,
    block: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Runs one slice of queries over all blocks of the catalogue and keeps the best k seen so far."""
    indices = np.empty((len(queries), 0), np.int64)
    scores = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(catalogue), block):
        items = catalogue[start : start + block]
        block_scores = queries @ items.T
        for row, ban in enumerate(banned or ()):
            inside = ban[(ban >= start) & (ban < start + len(items))]
            block_scores[row, inside - start] = -np.inf
        columns, values = best_of_rows(block_scores, k)
        # Earlier blocks hold lower indices and stand on the left, so the pick stays "lower index first".
        indices, scores = np.hstack([indices, columns + start]), np.hstack([scores, values])
        picked, scores = best_of_rows(scores, k)
        indices = np.take_along_axis(indices, picked, axis=1)
    return indices, scores


def _vectors(values: ArrayLike, kind: str) -> NDArray[np.float32]:
    array = np.asarray(values, np.float32)
    if array.ndim != 2:
        raise EvaluationError(f"The {kind} vectors must have shape [rows, dimensions], not {array.shape}.")
    with np.errstate(all="ignore"):
        sums = array.sum(axis=1)  # NaN and infinity survive a sum, and no mask of the catalogue's size is needed
    if not np.isfinite(sums).all():
        raise EvaluationError(f"A {kind} vector holds NaN or infinity: the model diverged; lower its learning rate.")
    return array


def _as_indices(items: ArrayLike | None) -> NDArray[np.int64]:
    return np.empty(0, np.int64) if items is None else np.asarray(items, np.int64).reshape(-1)
