"""What holds for every scorer, on a small shop whose answers a few lines of NumPy give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from tfrec.evaluation.baselines import Bm25
from tfrec.evaluation.retrieval import best_of_rows
from tfrec.export.ops import check_ops
from tfrec.retrieval import item_weights, prior
from tfrec.retrieval.collaborative import CollaborativeScorer
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_tuning.fixed import fixed_index
from tfrec.retrieval.prior import PriorScorer
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

SIZE, DIMENSION, TWIN, OTHER_TWIN = 301, 12, 3, 17
WORDS = [
    "red",
    "blue",
    "lamp",
    "sofa",
    "table",
    "chairs",
    "running",
    "men's",
    "女装",
    "连衣裙",
    "größe",
    "мебель",
    "4k",
    "usb-c",
]
QUERIES = ["red lamp", "chair runs", "女装连衣裙 4k", "nothing of this shop", "", "MEN'S red red sofa"]


def _catalogue() -> tuple[np.ndarray, list[str], sp.csr_matrix, np.ndarray]:
    """Vectors, texts, purchases and prices of a shop in which items 3 and 17 are the same in everything."""
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((SIZE, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 8))) for _ in range(SIZE)]
    bought = (rng.random((90, SIZE)) < 0.05).astype(np.float32)
    prices = rng.lognormal(size=SIZE)
    prices[8] = np.nan
    texts[TWIN], vectors[OTHER_TWIN], prices[OTHER_TWIN] = "red lamp 4k", vectors[TWIN], prices[TWIN]
    texts[OTHER_TWIN], bought[:, OTHER_TWIN] = texts[TWIN], bought[:, TWIN]
    return vectors, texts, sp.csr_matrix(bought), prices


def _requests() -> Request:
    rng = np.random.default_rng(6)
    vectors = rng.standard_normal((len(QUERIES), DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    history = np.full((len(QUERIES), 5), -1, np.int32)
    history[0, 3:], history[1, 1:3], history[2], history[5, 4] = [40, 7], [7, 40], [9, 8, 9, 250, 99], 300
    return Request(tf.constant(QUERIES), tf.constant(vectors), tf.constant(history))


VECTORS, TEXTS, BOUGHT, PRICES = _catalogue()
REQUEST = _requests()
HISTORIES = [[40, 7], [7, 40], [8, 9, 250, 99], [], [], [300]]  # oldest first, each once at its last place


def _dense(precision: str) -> Callable[[], Scorer]:
    return lambda: DenseScorer(VECTORS, precision, rescore=40, block=128)  # three blocks, the last not full


def _lexical() -> Scorer:
    return LexicalScorer(fixed_index({"text": TEXTS}, {"text": 1.0}, QUERIES))


def _bm25() -> np.ndarray:
    index = Bm25.fit([text.replace("4k", "4 k") for text in TEXTS], k1=1.2)
    return np.stack([index.scores(query.replace("4k", "4 k")) for query in QUERIES])


def _history_sums(weights: np.ndarray, half_life: float | None) -> np.ndarray:
    rows = np.zeros((len(HISTORIES), SIZE), np.float32)
    for row, history in enumerate(HISTORIES):
        for age, item in enumerate(reversed(history)):
            rows[row] += weights[item] * (1.0 if half_life is None else 0.5 ** (age / half_life))
    return rows


def _ease_reference() -> np.ndarray:
    gram = np.linalg.inv((BOUGHT.T @ BOUGHT).toarray().astype(np.float64) + 20 * np.eye(SIZE))
    weights = -gram / np.diag(gram)
    np.fill_diagonal(weights, 0)
    return _history_sums(weights, 2.0)


def _knn_reference() -> np.ndarray:
    both = (BOUGHT.T @ BOUGHT).toarray()
    norms = np.sqrt(np.diag(both))
    weights = both / (norms[:, None] * norms + 10)
    np.fill_diagonal(weights, 0)
    return _history_sums(weights, None)


def _price_reference() -> np.ndarray:
    known = np.isfinite(PRICES)
    score = (PRICES - PRICES[known].mean()) / PRICES[known].std()
    return np.tile(np.where(known, np.clip(score, -5, 5), 0), (len(QUERIES), 1))


@dataclass(frozen=True)
class Case:
    """A scorer, its formula in NumPy, how far they may be apart, and which requests say nothing to it."""

    make: Callable[[], Scorer]
    reference: Callable[[], np.ndarray]
    tolerance: float = 1e-5
    silent: tuple[int, ...] = ()


CASES = {
    "dense f32": Case(_dense("f32"), lambda: REQUEST.vectors.numpy() @ VECTORS.T),
    "dense bf16": Case(_dense("bf16"), lambda: REQUEST.vectors.numpy() @ VECTORS.T, 2e-2),
    "dense int8": Case(_dense("int8"), lambda: REQUEST.vectors.numpy() @ VECTORS.T, 2e-2),
    "lexical": Case(_lexical, _bm25, silent=(3, 4)),
    "ease": Case(
        lambda: CollaborativeScorer(item_weights.ease(BOUGHT, 20.0, SIZE), 2.0), _ease_reference, silent=(3, 4)
    ),
    "item-kNN": Case(
        lambda: CollaborativeScorer(item_weights.item_knn(BOUGHT, 10.0, SIZE)), _knn_reference, silent=(3, 4)
    ),
    "price": Case(lambda: PriorScorer("price", prior.numeric_column(PRICES.astype(str))), _price_reference),
}


def _part(rows: Any) -> Request:
    return Request(*(tf.gather(part, rows) for part in REQUEST))


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def scorer(case: Case) -> Scorer:
    return case.make()


@pytest.fixture(scope="module")
def scores(scorer: Scorer) -> np.ndarray:
    return scorer(REQUEST).numpy()


class TestContract:
    """One class over all scorers."""

    def test_one_finite_number_per_item(self, scorer: Scorer, scores: np.ndarray) -> None:
        assert scores.shape == (len(QUERIES), SIZE) and scores.dtype == np.float32
        assert np.isfinite(scores).all() and scorer.label

    def test_it_is_its_formula(self, case: Case, scores: np.ndarray) -> None:
        np.testing.assert_allclose(scores, case.reference(), rtol=0, atol=case.tolerance)

    def test_the_best_are_those_of_its_formula(self, case: Case, scores: np.ndarray) -> None:
        expected = case.reference().astype(np.float32)
        found = tf.math.top_k(scores, 10).indices.numpy()
        best, values = best_of_rows(expected, 10)
        np.testing.assert_allclose(np.take_along_axis(expected, found, 1), values, atol=1e-5)  # also for bf16 and int8
        clear = np.diff(values, axis=1, prepend=np.inf) < -1e-4
        clear[:, :-1] &= clear[:, 1:]
        clear[:, -1] = False  # what comes after it may be as good
        assert (found == best)[clear].all() and (clear.any() or expected.min() == expected.max())

    def test_requests_do_not_touch_each_other(self, scorer: Scorer, scores: np.ndarray) -> None:
        order = [4, 2, 0, 5, 3, 1]
        np.testing.assert_allclose(scorer(_part(order)).numpy(), scores[order], atol=1e-5)
        for row in range(len(QUERIES)):
            np.testing.assert_allclose(scorer(_part([row])).numpy()[0], scores[row], atol=1e-5)

    def test_no_request_gives_no_row(self, scorer: Scorer) -> None:
        nothing = Request(tf.zeros([0], tf.string), tf.zeros([0, DIMENSION]), tf.zeros([0, 5], tf.int32))
        assert scorer(nothing).shape == (0, SIZE)

    def test_twins_score_alike(self, case: Case, scores: np.ndarray) -> None:
        np.testing.assert_allclose(scores[:, TWIN], scores[:, OTHER_TWIN], atol=case.tolerance / 2)
        assert np.ptp(scores) > 0

    def test_nothing_to_say_is_zero(self, case: Case, scores: np.ndarray) -> None:
        for row in range(len(QUERIES)):
            assert (row in case.silent) == (not scores[row].any())

    def test_it_survives_a_saved_model_of_stock_ops(self, scorer: Scorer, scores: np.ndarray, tmp_path: Path) -> None:
        module = tf.Module()
        module.scorer = scorer
        specs = [
            tf.TensorSpec([None], tf.string, "query"),
            tf.TensorSpec([None, DIMENSION], tf.float32, "vectors"),
            tf.TensorSpec([None, None], tf.int32, "history"),
        ]
        served = tf.function(lambda *parts: {"scores": scorer(Request(*parts))}, specs, autograph=False)
        tf.saved_model.save(module, str(tmp_path), signatures=served.get_concrete_function())
        check_ops(tmp_path)
        loaded = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
        again = loaded(query=REQUEST.query, vectors=REQUEST.vectors, history=REQUEST.history)["scores"]
        np.testing.assert_allclose(again.numpy(), scores, atol=1e-6)
