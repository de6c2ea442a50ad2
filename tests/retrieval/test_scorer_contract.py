"""What holds for every scorer, on a small shop whose answers a few lines of NumPy give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from tfrec.evaluation.baselines import Bm25
from tfrec.evaluation.retrieval import best_of_rows
from tfrec.retrieval import item_weights, prior
from tfrec.retrieval.collaborative import CollaborativeScorer
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_tuning.fixed import fixed_index
from tfrec.retrieval.prior import PriorScorer
from tfrec.retrieval.related import related_scorer
from tfrec.retrieval.relations import Relations
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.two_level import TwoLevelScorer
from tfrec.tensorflow_setup import tf
from tfrec.testing import SHOP, ScorerContract
from tfrec.testing.scorers import OTHER_TWIN, QUERIES, SIZE, TWIN

VECTORS, TEXTS, BOUGHT, PRICES, REQUEST = SHOP
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


def _relations() -> Relations:
    rng = np.random.default_rng(7)
    rows = [(int(item), "fits", int(other), "") for item, other in rng.integers(0, SIZE, (400, 2)) if item != other]
    rows = [row for row in rows if row[2] not in (TWIN, OTHER_TWIN)]
    rows += [(7, "fits", TWIN, ""), (7, "fits", OTHER_TWIN, ""), (300, "fits", 5, "")]
    kinds = {"item": pl.Int64, "relation": pl.String, "other": pl.Int64, "value": pl.String}
    return Relations(pl.DataFrame(rows, kinds, orient="row").unique(maintain_order=True), SIZE)


def _related() -> Scorer:
    scorer = related_scorer(_relations(), "fits", 2.0)
    assert scorer is not None and scorer.label == "relation:fits"
    return scorer


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
    "dense, all groups": Case(
        lambda: TwoLevelScorer(VECTORS, 99, rescore=40, width=32), lambda: REQUEST.vectors.numpy() @ VECTORS.T, 2e-2
    ),
    "lexical": Case(_lexical, _bm25, silent=(3, 4)),
    "ease": Case(
        lambda: CollaborativeScorer(item_weights.ease(BOUGHT, 20.0, SIZE), 2.0), _ease_reference, silent=(3, 4)
    ),
    "item-kNN": Case(
        lambda: CollaborativeScorer(item_weights.item_knn(BOUGHT, 10.0, SIZE)), _knn_reference, silent=(3, 4)
    ),
    "relation": Case(_related, lambda: _history_sums(_relations().matrix("fits").toarray(), 2.0), silent=(3, 4)),
    "price": Case(lambda: PriorScorer("price", prior.numeric_column(PRICES.astype(str))), _price_reference),
}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


class TestContract(ScorerContract):
    """One class over all scorers: the contract, and the formula of each."""

    twin_tolerance = None

    @pytest.fixture(scope="class")
    def scorer(self, case: Case) -> Scorer:
        return case.make()

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

    def test_twins_score_alike_as_precisely_as_its_formula(self, case: Case, scores: np.ndarray) -> None:
        np.testing.assert_allclose(scores[:, TWIN], scores[:, OTHER_TWIN], atol=case.tolerance / 2)

    def test_nothing_to_say_is_zero(self, case: Case, scores: np.ndarray) -> None:
        for row in range(len(QUERIES)):
            assert (row in case.silent) == (not scores[row].any())
