"""Collaborative models: how plausible each item is for each shopper, from who took what."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tfrec.config.synth_behaviour import PurchasesConfig
from tfrec.errors import ConfigError

_SHRINKAGE = 10.0  # buyers in common that are not there, so that two rare items are not all alike
_BPR_PASSES = 10  # BPR needs about ten times as many passes as ALS
_BLOCK = 1024

Scores = Callable[[np.ndarray], np.ndarray]


def fit(settings: PurchasesConfig, matrix: Any, seed: int) -> tuple[str, Scores]:
    """Learns who would take what.

    One thread, so that the same seed gives the same model.

    Args:
        settings: the model and its sizes.
        matrix: who took what, scipy CSR float32 [U, N].
        seed: of the starting vectors and of what BPR draws.

    Returns:
        the model's name, and a function from rows int [R] of the matrix to scores float32 [R, N].

    Raises:
        ConfigError: the model asked for needs a package that is not installed.

    Source: Hu et al. 2008 (ALS), Rendle et al. 2009 (BPR), Sarwar et al. 2001 (item-item).
    """
    kind = settings.model
    if kind in ("auto", "als", "bpr") and importlib.util.find_spec("implicit") is None:
        if kind != "auto":
            raise ConfigError(
                f"synthesis.behaviour.purchases.model {kind} needs the package implicit: pip install implicit, or take "
                "item_item."
            )
        print("The package implicit is not installed: behaviour is simulated with item_item.", file=sys.stderr)
        kind = "item_item"
    kind = "als" if kind == "auto" else kind
    return kind, (_item_item(settings, matrix) if kind == "item_item" else _factors(kind, settings, matrix, seed))


def _factors(kind: str, settings: PurchasesConfig, matrix: Any, seed: int) -> Scores:
    # Imported before the limit is set, which holds only for libraries that are loaded by then.
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from threadpoolctl import threadpool_limits

    common = {"factors": settings.factors, "regularization": settings.regularisation, "random_state": seed}
    with threadpool_limits(1, "blas"):
        model: Any
        if kind == "als":
            model = AlternatingLeastSquares(iterations=settings.iterations, num_threads=1, **common)
        else:
            passes = _BPR_PASSES * settings.iterations
            model = BayesianPersonalizedRanking(iterations=passes, learning_rate=0.05, num_threads=1, **common)
        model.fit(matrix, show_progress=False)
    users, items = np.asarray(model.user_factors, np.float32), np.asarray(model.item_factors, np.float32)
    return lambda rows: users[rows] @ items.T


def _item_item(settings: PurchasesConfig, matrix: Any) -> Scores:
    from scipy import sparse

    columns = matrix.tocsc()
    norms = np.sqrt(np.asarray(columns.sum(axis=0)).reshape(-1))
    size = columns.shape[1]
    blocks = []
    for start in range(0, size, _BLOCK):
        both = (columns[:, start : start + _BLOCK].T @ columns).tocsr()
        likeness = [_nearest(both, row, start + row, norms, settings.neighbours) for row in range(both.shape[0])]
        ends = np.cumsum([0, *(len(found) for found, _ in likeness)])
        places = np.concatenate([found for found, _ in likeness])
        values = np.concatenate([value for _, value in likeness])
        blocks.append(sparse.csr_matrix((values, places, ends), shape=(both.shape[0], size)))
    weights = sparse.vstack(blocks).tocsr()  # row: an item that was taken, columns: what goes with it
    return lambda rows: np.asarray((matrix[rows] @ weights).todense(), np.float32)


def _nearest(both: Any, row: int, item: int, norms: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The items that go with one, and how well: places ascending, weights float32."""
    part = slice(both.indptr[row], both.indptr[row + 1])
    places, shared = both.indices[part], both.data[part]
    others = places != item
    places, shared = places[others], shared[others]
    weights = shared / (norms[item] * norms[places] + _SHRINKAGE)
    best = np.sort(np.lexsort((places, -weights))[:most])
    order = best[np.argsort(places[best])]
    return places[order], weights[order].astype(np.float32)
