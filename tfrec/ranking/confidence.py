"""Calibration: how sure an answer to a search is, learned from the judged queries and judged by folds of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, write_json
from tfrec.ranking.kept import Origin, kept_facts
from tfrec.retrieval.answers import QueryVectors, rank_requests
from tfrec.retrieval.confidence import PLACES, Confidence, measures
from tfrec.retrieval.fusion import Fusion

LEAST_QUERIES, LEAST_OF_EACH, BINS = 100, 50, 10
_PULL = 1e-3  # of the squared weights of standardised measures
FILE = "confidence.json"


def confidence(
    config: Config, shop: ShopData, folds: Sequence[tuple[list[str], Fusion]], towers: QueryVectors, origin: Origin,
    folder: Path,
) -> Confidence | None:  # fmt: skip
    """What makes probabilities of scores, read back where nothing has changed; None where too little is judged.

    A query's best 20 items count, as the other folds order them; those that nobody judged count as not right, so a
    probability says how likely the shop's judges have marked the item.

    Args:
        config: section evaluation (what gain is right) and the seed are read.
        shop: the prepared data.
        folds: for every fold of the judged queries the queries, and what the others choose and teach.
        towers: give the vectors of queries.
        origin: of the outcome.
        folder: where it is kept.
    """
    facts = kept_facts(folder / FILE, origin)
    if facts is None:
        facts = _facts(config, shop, folds, towers)
        with atomic_directory(folder) as aside:
            write_json(aside / FILE, {**facts, **origin.key()})
    return Confidence(facts["weights"]) if facts["used"] else None


def kept_confidence(folder: Path, origin: Origin) -> Confidence | None:
    """What `confidence` has left, or None."""
    facts = kept_facts(folder / FILE, origin) or {"used": False}
    return Confidence(facts["weights"]) if facts["used"] else None


def _facts(
    config: Config, shop: ShopData, folds: Sequence[tuple[list[str], Fusion]], towers: QueryVectors
) -> dict[str, Any]:
    judgments = shop.judgments(shop.choosing_split)
    count = sum(len(queries) for queries, _ in folds)
    if count < LEAST_QUERIES:
        why = f"fewer than {LEAST_QUERIES} judged queries say how often scores are right"
        return {"used": False, "told": f"search: answers come without a probability, for {why}"}
    measured, marked, dealt = [], [], []
    for fold, (queries, fusion) in enumerate(folds):
        call = lambda request, fused=fusion: fused(request, [0, 1])  # noqa: E731
        rows, scores = rank_requests(towers, call, queries, None, PLACES, shop.size)
        filled = rows >= 0
        scores = np.where(filled, scores, scores[:, :1])
        measured.append(np.stack(measures(scores, scores[:, :1], scores[:, -1:]), axis=2)[filled])
        own = [(judgments[query], found) for query, found in zip(queries, rows.tolist(), strict=True)]
        gains = [[judged.get(shop.item_ids[row], 0.0) for row in found] for judged, found in own]
        marked.append((np.array(gains) >= config.evaluation.relevant_gain)[filled])
        dealt.append(np.full(int(filled.sum()), fold))
    x, y, fold_of = np.concatenate(measured), np.concatenate(marked).astype(np.float64), np.concatenate(dealt)
    if min(y.sum(), (1 - y).sum()) < LEAST_OF_EACH:
        why = f"fewer than {LEAST_OF_EACH} of the best items are right, or wrong"
        return {"used": False, "told": f"search: answers come without a probability, for {why}"}
    said = np.zeros(len(y))
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        said[inside] = probabilities(platt(x[~inside], y[~inside]), x[inside])
    bins = reliability(said, y)
    ece = sum(share * abs(told - true) for told, true, share in bins)
    brier, plain = float(np.mean((said - y) ** 2)), float(np.mean((y.mean() - y) ** 2))
    return {
        "used": True, "weights": platt(x, y).tolist(), "queries": count, "items": len(y), "ece": ece, "brier": brier,
        "brier_of_the_rate": plain, "bins": bins,
        "told": f"search: how sure an answer is was learned from {count} queries (calibration error {ece:.3f}, Brier "
        f"score {brier:.3f} where the rate alone has {plain:.3f}, each query by what others teach)",
    }  # fmt: skip


def platt(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Weights of a logistic regression, float64 [M + 1], the constant last.

    Args:
        x: float [R, M].
        y: 0 or 1, float [R].
    """
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.column_stack([(x - mean) / spread, np.ones(len(x))])
    pull = np.append(np.full(x.shape[1], _PULL), 0.0)

    def loss(w: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        logit = z @ w
        value = np.mean(np.logaddexp(0.0, logit) - y * logit) + 0.5 * np.sum(pull * w * w)
        return float(value), z.T @ (expit(logit) - y) / len(y) + pull * w

    found = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    weights = found[:-1] / spread
    return np.append(weights, found[-1] - weights @ mean)


def probabilities(weights: NDArray[Any], x: NDArray[Any]) -> NDArray[np.float64]:
    """What `platt` has found says of x float [R, M], float64 [R]."""
    return np.asarray(expit(x @ weights[:-1] + weights[-1]), np.float64)


def reliability(said: NDArray[Any], y: NDArray[Any]) -> list[tuple[float, float, float]]:
    """For bins of equally many, by what was said: mean probability, share that is right, and share of all."""
    order = np.argsort(said, kind="stable")
    return [
        (float(said[rows].mean()), float(y[rows].mean()), len(rows) / len(y))
        for rows in np.array_split(order, min(BINS, len(y)))
    ]
