"""A linear ranker of few judged queries: its minimum is found exactly, and the pull to the fused order by folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tfrec.choosing.crossing import out_of_folds
from tfrec.choosing.folds import deal
from tfrec.ranking.examples import Examples
from tfrec.ranking.models import LARGEST
from tfrec.ranking.ranker import Learned
from tfrec.ranking.training import SCALE, corrected

PULLS = (1e-3, 1e-2, 1e-1)
_INNER_FOLDS = 3


def fit_linear(examples: Examples, pull: float) -> Learned:
    """Weights of the features that correct the fused order.

    The loss is that of tfrec.ranking.training: softmax over the candidates, 0 corrections at the start, and the square
    of all that has moved; L-BFGS finds its one minimum.

    Args:
        examples: at least one request with a right candidate.
        pull: weight of the square.
    """
    chosen = examples.some(np.flatnonzero(examples.right.any(axis=1)))
    inside = chosen.features[chosen.filled]
    mean, spread = inside.mean(axis=0), inside.std(axis=0) + 1e-6
    features = np.clip((chosen.features - mean) / spread, -LARGEST, LARGEST).astype(np.float64)
    share = chosen.right / np.sqrt(chosen.right.sum(axis=1, keepdims=True))
    count = len(share)

    def loss(moved: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = (SCALE + moved[0]) * chosen.start + features @ moved[1:]
        scores = np.where(chosen.filled, scores, -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        total = powers.sum(axis=1, keepdims=True)
        told = np.where(chosen.filled, scores - np.log(total), 0.0)
        slope = (powers / total * share.sum(axis=1, keepdims=True) - share) / count
        down = np.concatenate([[(slope * chosen.start).sum()], np.einsum("qk,qkf->f", slope, features)])
        return float(-(share * told).sum() / count + pull * moved @ moved), down + 2 * pull * moved

    found = minimize(loss, np.zeros(1 + features.shape[2]), jac=True, method="L-BFGS-B").x
    scale = np.array([max(SCALE + found[0], 1e-3)], np.float32)
    weights = found[1:, np.newaxis].astype(np.float32)
    return Learned("linear", examples.names, mean, spread, scale, [[weights]])


def fit_pulled(examples: Examples, keys: Sequence[str], seed: int) -> Learned:
    """The same, with the pull that orders queries best that had no part in the fit.

    Args:
        examples: Q requests.
        keys: what tells them apart.
        seed: deals them into folds.
    """
    folds = deal(keys, seed, _INNER_FOLDS)

    def reached(pull: float) -> float:
        others = out_of_folds(
            folds,
            lambda rows: fit_linear(examples.some(rows), pull),
            lambda fit, rows: reaches(fit, examples.some(rows)),
        )
        return float(others.mean())

    return fit_linear(examples, max(PULLS, key=reached))


def reaches(learned: Learned, examples: Examples) -> NDArray[np.float64]:
    """nDCG of each request as a ranker orders it, float64 [Q]."""
    return examples.ndcg(corrected(learned, examples))
