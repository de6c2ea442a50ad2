"""A training of seconds: a linear map of the untrained query vectors towards the right items, judged by folds."""

from __future__ import annotations

import numpy as np

from tfrec.pipeline.advice.view import View

_RIDGE = 2.5  # in units of the mean of the squared vectors' spectrum, per dimension


def adapted(view: View, share: float) -> np.ndarray:
    """What the sum of both scorers reaches where query vectors are moved as the other folds' right items say.

    Ridge regression from query vectors to what is missing to the mean of their right items (as the linear maps between
    embedding spaces of Mikolov et al. 2013). It stands for a fine-tuning: where labels teach the towers something that
    holds for other queries, a linear part of it shows here at no cost.

    Args:
        view: the shop.
        share: of the labelled queries of the other folds that teach.

    Returns:
        nDCG@10 of each query that is asked, float64 [Q].
    """
    vectors, rights = view.vectors, np.stack([_right(view, query) for query in view.labelled])
    centre = view.items.mean(axis=0)
    spread = np.cov(view.items[:: max(1, len(view.items) // 20_000)].T)
    reached = np.zeros(len(view.queries))
    for fold in np.unique(view.folds[: len(reached)]):
        others = teachers(view, fold, share)
        asked = np.flatnonzero(view.folds[: len(reached)] == fold)
        moved = _moved(vectors[others], rights[others], vectors[asked])
        for vector, number in zip(moved, asked, strict=True):
            pool = view.pools[number]
            cosine = view.items[pool.items] @ vector - centre @ vector
            reached[number] = pool.ndcg(pool.lexical + cosine / np.sqrt(vector @ spread @ vector + 1e-9))
    return reached


def teachers(view: View, fold: int, share: float) -> np.ndarray:
    """A share of the labelled queries of the other folds, int64 [R]; a larger share holds the smaller ones."""
    others = np.flatnonzero(view.folds != fold)
    return others[: round(share * len(others))]


def _moved(queries: np.ndarray, rights: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Unit vectors of asked queries [A, D], moved as taught by pairs [R, D]."""
    if not len(queries):
        return asked
    missing = rights - queries
    shift = missing.sum(axis=0) / (len(queries) + queries.shape[1] / 4)
    spectrum = queries.T @ queries + _RIDGE * np.eye(queries.shape[1])
    moved = asked + asked @ np.linalg.solve(spectrum, queries.T @ (missing - shift)) + shift
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)


def _right(view: View, query: str) -> np.ndarray:
    gains = {item: gain for item, gain in view.labelled[query].items() if gain > 0}
    mean = np.array(list(gains.values())) @ view.items[list(gains)]
    return mean / max(float(np.linalg.norm(mean)), 1e-9)
