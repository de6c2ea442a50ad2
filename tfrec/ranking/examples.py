"""Requests of a window with their candidates' features and what was right: what a ranker is trained and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.ranking.features.building import build_features
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.ranked_fusion import HISTORY, UNREAD, RankedFusion, opinions_of
from tfrec.ranking.ranker import all_of, start_of
from tfrec.retrieval.answers import KnownVectors, answered
from tfrec.retrieval.building import build_scorers
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import SituationWeights
from tfrec.tensorflow_setup import tf

MOST_SHOPPERS = 2000  # of a window; more say little and fill the memory
_CUT = 20
_DISCOUNTS = 1.0 / np.log2(np.arange(_CUT) + 2)


@dataclass(frozen=True)
class Examples:
    """Q requests with K candidates each, best fused score first.

    Attributes:
        names: F names of features.
        features: float32 [Q, K, F].
        start: deviations of the fused score float32 [Q, K].
        filled: bool [Q, K].
        right: whether the shopper took the candidate, bool [Q, K].
        wanted: items that each shopper took, int64 [Q], found among the candidates or not.
    """

    names: list[str]
    features: np.ndarray
    start: np.ndarray
    filled: np.ndarray
    right: np.ndarray
    wanted: np.ndarray

    def ndcg(self, scores: np.ndarray | None = None) -> np.ndarray:
        """nDCG@20 of each request, float64 [Q].

        Args:
            scores: float [Q, K]; None takes the fused order.
        """
        right = self.right
        if scores is not None:
            order = np.argsort(np.where(self.filled, -scores, np.inf), axis=1, kind="stable")
            right = np.take_along_axis(right, order, axis=1)
        ideal = np.cumsum(_DISCOUNTS)[np.minimum(self.wanted, _CUT) - 1]
        return right[:, :_CUT] @ _DISCOUNTS[: right.shape[1]] / ideal


def window_examples(config: Config, window: ShopData, fusion: Fusion) -> Examples:
    """Candidates and features from before a window, answers from in it.

    Args:
        config: sections ranking and retrieval and the seed are read.
        window: see tfrec.ranking.windows.
        fusion: whose scorers and weights are taken, as far as they can be made of what was known before the window.
    """
    plain = _as_known(config, window, fusion)
    features = build_features(config, window, [plain.labels[number] for number in opinions_of(plain)])
    ranked = RankedFusion(plain, None, config.ranking.candidates)
    shoppers = window.shoppers("dev")
    if len(shoppers) > MOST_SHOPPERS:
        chosen = np.random.default_rng(config.seed).choice(len(shoppers), MOST_SHOPPERS, replace=False)
        shoppers = [shoppers[number] for number in np.sort(chosen).tolist()]
    nothing, past = [""] * len(shoppers), [shopper.history for shopper in shoppers]
    blank = KnownVectors(np.zeros([len(shoppers), 1], np.float32))
    found = answered(lambda request: _read(ranked, features, request), blank, nothing, past, window.size, 4)
    parts = [[part.numpy() for part in read] for _, _, read in found]
    rows, filled, start, numbers = (np.concatenate(some) for some in zip(*parts, strict=True))
    right = np.stack([np.isin(row, shopper.truth) for row, shopper in zip(rows, shoppers, strict=True)]) & filled
    wanted = np.array([len(shopper.truth) for shopper in shoppers], np.int64)
    return Examples([name for feature in features for name in feature.names], numbers, start, filled, right, wanted)


def joined(several: Sequence[Examples]) -> Examples:
    """The requests of several windows together; their candidates must be equally many."""
    values = zip(*((e.features, e.start, e.filled, e.right, e.wanted) for e in several), strict=True)
    return Examples(several[0].names, *(np.concatenate(some) for some in values))


def _read(ranked: RankedFusion, features: Sequence[Feature], request: Request) -> tuple[Any, ...]:
    fused, parts = ranked.scored(request, [HISTORY])
    candidates = ranked.candidates(request, fused, parts)
    return candidates.rows, candidates.filled, start_of(candidates), all_of(features, candidates)


def _as_known(config: Config, window: ShopData, fusion: Fusion) -> Fusion:
    """The scorers of histories as they would have been before a window; the towers' is none of them."""
    share = fusion.weights(_a_history())[0].numpy()
    weights = {scorer.label: share[number] for number, scorer in enumerate(fusion.scorers)}
    names = [label for label in fusion.labels if label not in UNREAD]
    retrieval = config.retrieval.model_copy(update={"scorers": names})
    scorers = build_scorers(config.model_copy(update={"retrieval": retrieval}), window, None)
    table = np.tile([weights[scorer.label] for scorer in scorers], [4, 1])
    return Fusion(scorers, SituationWeights(table), fusion.normalisation)


def _a_history() -> Request:
    return Request(tf.constant([""]), tf.zeros([1, 1]), tf.constant([[0]]))
