"""What holds for every scorer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.sparse as sp

from tfrec.export.ops import check_ops
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

SIZE, DIMENSION, TWIN, OTHER_TWIN = 301, 12, 3, 17
QUERIES = ["red lamp", "chair runs", "女装连衣裙 4k", "nothing of this shop", "", "MEN'S red red sofa"]
_WORDS = [
    "red", "blue", "lamp", "sofa", "table", "chairs", "running", "men's", "女装", "连衣裙", "größe", "мебель", "4k",
    "usb-c",
]  # fmt: skip


class SmallShop(NamedTuple):
    """A made shop to build a scorer on; items TWIN and OTHER_TWIN are the same in everything.

    Attributes:
        vectors: unit vectors of the items, float32 [N, D].
        texts: N texts in several scripts.
        bought: what 90 shoppers bought, sparse float32 [90, N].
        prices: float64 [N]; one is NaN.
        requests: a batch of six requests; the fourth has words that no item has, the fifth is empty, and neither has a
            history.
    """

    vectors: np.ndarray
    texts: list[str]
    bought: sp.csr_matrix
    prices: np.ndarray
    requests: Request


def _small_shop() -> SmallShop:
    rng = np.random.default_rng(5)
    vectors = _unit(rng.standard_normal((SIZE, DIMENSION)).astype(np.float32))
    texts = [" ".join(rng.choice(_WORDS, rng.integers(1, 8))) for _ in range(SIZE)]
    bought = (rng.random((90, SIZE)) < 0.05).astype(np.float32)
    prices = rng.lognormal(size=SIZE)
    prices[8] = np.nan
    texts[TWIN], vectors[OTHER_TWIN], prices[OTHER_TWIN] = "red lamp 4k", vectors[TWIN], prices[TWIN]
    texts[OTHER_TWIN], bought[:, OTHER_TWIN] = texts[TWIN], bought[:, TWIN]
    asked = _unit(np.random.default_rng(6).standard_normal((len(QUERIES), DIMENSION)).astype(np.float32))
    history = np.full((len(QUERIES), 5), -1, np.int32)
    history[0, 3:], history[1, 1:3], history[2], history[5, 4] = [40, 7], [7, 40], [9, 8, 9, 250, 99], 300
    requests = Request(tf.constant(QUERIES), tf.constant(asked), tf.constant(history))
    return SmallShop(vectors, texts, sp.csr_matrix(bought), prices, requests)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


SHOP = _small_shop()


class ScorerContract:
    """Subclass it and give the fixture `scorer`, a scorer over the items of SHOP.

    Attributes:
        tolerance: how far scores of the same request may be apart in another batch.
        twin_tolerance: how far scores of two equal items may be apart; None where the scorer may tell them apart.
    """

    tolerance: float = 1e-5
    twin_tolerance: float | None = 1e-5

    @pytest.fixture(scope="class")
    def scorer(self) -> Scorer:
        """The scorer under test."""
        raise NotImplementedError("give the fixture `scorer`: a scorer over the items of tfrec.testing.SHOP")

    @pytest.fixture(scope="class")
    def scores(self, scorer: Scorer) -> np.ndarray:
        """What it gives for the requests of SHOP."""
        return scorer(SHOP.requests).numpy()

    def test_one_finite_number_per_item(self, scorer: Scorer, scores: np.ndarray) -> None:
        assert scores.shape == (len(QUERIES), SIZE) and scores.dtype == np.float32
        assert np.isfinite(scores).all() and scorer.label

    def test_it_tells_items_apart(self, scores: np.ndarray) -> None:
        assert np.ptp(scores) > 0

    def test_it_keeps_its_promises(self, scorer: Scorer, scores: np.ndarray) -> None:
        if scorer.constant:
            np.testing.assert_allclose(scores, np.tile(scores[:1], (len(QUERIES), 1)), atol=self.tolerance)
        if scorer.sparse:
            assert scores.min() >= 0 and (scores == 0).mean() > 0.5

    def test_requests_do_not_touch_each_other(self, scorer: Scorer, scores: np.ndarray) -> None:
        order = [4, 2, 0, 5, 3, 1]
        np.testing.assert_allclose(scorer(_part(order)).numpy(), scores[order], atol=self.tolerance)
        for row in range(len(QUERIES)):
            np.testing.assert_allclose(scorer(_part([row])).numpy()[0], scores[row], atol=self.tolerance)

    def test_no_request_gives_no_row(self, scorer: Scorer) -> None:
        nothing = Request(tf.zeros([0], tf.string), tf.zeros([0, DIMENSION]), tf.zeros([0, 5], tf.int32))
        assert scorer(nothing).shape == (0, SIZE)

    def test_twins_score_alike(self, scores: np.ndarray) -> None:
        if self.twin_tolerance is not None:
            np.testing.assert_allclose(scores[:, TWIN], scores[:, OTHER_TWIN], atol=self.twin_tolerance)

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
        batch = SHOP.requests
        again = loaded(query=batch.query, vectors=batch.vectors, history=batch.history)["scores"]
        np.testing.assert_allclose(again.numpy(), scores, atol=self.tolerance)


def _part(rows: Any) -> Request:
    return Request(*(tf.gather(part, rows) for part in SHOP.requests))
