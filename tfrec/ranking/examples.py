"""Requests with their candidates' features and what was right: what a ranker is trained and judged on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.ranking.features.building import build_features, personalised_features, query_features
from tfrec.ranking.features.feature import Feature, names_of
from tfrec.ranking.opinions import BOTH, HISTORY, QUERY, UNREAD, opinions_of
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.ranker import all_of, start_of
from tfrec.retrieval.answers import KnownVectors, QueryVectors, answered
from tfrec.retrieval.building import build_scorers
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.samples import Samples
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import SituationWeights
from tfrec.tensorflow_setup import tf

MOST_SHOPPERS = 2000  # of a window; more say little and fill the memory
CUTS = {QUERY: 10, HISTORY: 20, BOTH: 10}  # places that are judged
_DISCOUNTS = 1.0 / np.log2(np.arange(max(CUTS.values())) + 2)


@dataclass(frozen=True)
class Examples:
    """Q requests with K candidates each, best fused score first.

    Attributes:
        names: F names of features.
        features: float32 [Q, K, F].
        start: deviations of the fused score float32 [Q, K].
        filled: bool [Q, K].
        right: gain of the candidate float32 [Q, K]; 1 for what a shopper took, 0 for what is not right.
        ideal: the best DCG that all right items allow, found among the candidates or not, float64 [Q].
        cut: places that are judged.
    """

    names: list[str]
    features: np.ndarray
    start: np.ndarray
    filled: np.ndarray
    right: np.ndarray
    ideal: np.ndarray
    cut: int

    def ndcg(self, scores: np.ndarray | None = None) -> np.ndarray:
        """nDCG of each request at the cut, with linear gains, float64 [Q].

        Args:
            scores: float [Q, K]; None takes the fused order.
        """
        right = self.right
        if scores is not None:
            order = np.argsort(np.where(self.filled, -scores, np.inf), axis=1, kind="stable")
            right = np.take_along_axis(right, order, axis=1)
        right = right[:, : self.cut].astype(np.float64)
        return right @ _DISCOUNTS[: right.shape[1]] / self.ideal

    def some(self, rows: np.ndarray) -> Examples:
        """Some of the requests, by number."""
        features, start, filled = self.features[rows], self.start[rows], self.filled[rows]
        return Examples(self.names, features, start, filled, self.right[rows], self.ideal[rows], self.cut)


def window_examples(config: Config, window: ShopData, fusion: Fusion) -> Examples:
    """Candidates and features from before a window, answers from in it.

    Args:
        config: sections ranking and retrieval and the seed are read.
        window: see tfrec.ranking.windows.
        fusion: whose scorers and weights are taken, as far as they can be made of what was known before the window.
    """
    plain = _as_known(config, window, fusion)
    features = build_features(config, window, [plain.labels[number] for number in opinions_of(plain)])
    ranked = RankedFusion(plain, {}, config.ranking.candidates)
    shoppers = window.shoppers("dev")
    if len(shoppers) > MOST_SHOPPERS:
        chosen = np.random.default_rng(config.seed).choice(len(shoppers), MOST_SHOPPERS, replace=False)
        shoppers = [shoppers[number] for number in np.sort(chosen).tolist()]
    nothing, past = [""] * len(shoppers), [shopper.history for shopper in shoppers]
    blank = KnownVectors(np.zeros([len(shoppers), 1], np.float32))
    found = answered(lambda request: _read(ranked, features, request, HISTORY), blank, nothing, past, window.size, 4)
    return _examples(features, found, [dict.fromkeys(shopper.truth, 1.0) for shopper in shoppers], CUTS[HISTORY])


def query_examples(
    config: Config, shop: ShopData, fusion: Fusion, towers: QueryVectors, samples: Samples, more: Sequence[Feature] = ()
) -> Examples:
    """Candidates and features of judged queries that the towers have not learned from.

    Args:
        config: section ranking is read.
        shop: the prepared data; of its interactions those of train are known.
        fusion: whose scorers and weights are taken.
        towers: give the vectors of queries.
        samples: the queries, with right items each.
        more: see query_features.
    """
    return _searched(config, shop.size, query_features(config, shop, fusion, more), fusion, towers, samples, QUERY)


def personalised_examples(
    config: Config, shop: ShopData, fusion: Fusion, towers: QueryVectors, samples: Samples
) -> Examples:
    """Candidates and features of searches with a history that the towers have not learned from.

    Args:
        config: sections ranking and retrieval are read.
        shop: of which the purchases of train are known.
        fusion: whose scorers and weights are taken.
        towers: give the vectors of requests.
        samples: the searches, with histories and what was taken.
    """
    return _searched(config, shop.size, personalised_features(config, shop, fusion), fusion, towers, samples, BOTH)


def _searched(
    config: Config, size: int, features: Sequence[Feature], fusion: Fusion, towers: QueryVectors, samples: Samples,
    situation: int,
) -> Examples:  # fmt: skip
    ranked = RankedFusion(fusion, {}, config.ranking.candidates)
    histories = None if situation == QUERY else samples.histories
    requests = (towers, samples.queries, histories)
    found = answered(lambda request: _read(ranked, features, request, situation), *requests, size, 4)
    return _examples(features, found, samples.truths, CUTS[situation])


def joined(several: Sequence[Examples]) -> Examples:
    """The requests of several windows together; their candidates must be equally many."""
    names, cut = several[0].names, several[0].cut
    parts = zip(*((e.features, e.start, e.filled, e.right, e.ideal) for e in several), strict=True)
    features, start, filled, right, ideal = (np.concatenate(some) for some in parts)
    return Examples(names, features, start, filled, right, ideal, cut)


def _examples(
    features: Sequence[Feature], found: Iterable[Any], truths: Sequence[Mapping[int, float]], cut: int
) -> Examples:
    """What was read for Q requests whose right items are given, row -> gain."""
    parts = [[part.numpy() for part in read] for _, _, read in found]
    rows, filled, start, numbers = (np.concatenate(some) for some in zip(*parts, strict=True))
    right = np.zeros(rows.shape, np.float32)
    for place, truth in enumerate(truths):
        right[place] = [truth.get(row, 0.0) for row in rows[place].tolist()]
    best = [sorted(truth.values(), reverse=True)[:cut] for truth in truths]
    ideal = np.array([np.dot(gains, _DISCOUNTS[: len(gains)]) for gains in best])
    return Examples(names_of(features), numbers, start, filled, right * filled, ideal, cut)


def _read(ranked: RankedFusion, features: Sequence[Feature], request: Request, situation: int) -> tuple[Any, ...]:
    fused, parts = ranked.scored(request, [situation])
    candidates = ranked.candidates(request, fused, parts, situation)
    return candidates.rows, candidates.filled, start_of(candidates), all_of(features, candidates)


def _as_known(config: Config, window: ShopData, fusion: Fusion) -> Fusion:
    """The scorers of histories as they would have been before a window; the towers' is none of them."""
    share = fusion.weights(_a_history())[0].numpy()
    weights = {scorer.label: share[number] for number, scorer in enumerate(fusion.scorers)}
    names = [label for label in fusion.labels if label not in UNREAD[HISTORY]]
    retrieval = config.retrieval.model_copy(update={"scorers": names})
    scorers = build_scorers(config.model_copy(update={"retrieval": retrieval}), window, None)
    table = np.tile([weights[scorer.label] for scorer in scorers], [4, 1])
    return Fusion(scorers, SituationWeights(table), fusion.normalisation)


def _a_history() -> Request:
    return Request(tf.constant([""]), tf.zeros([1, 1]), tf.constant([[0]]))
