"""Probabilities of answers: what was planted is found again, and an export says what training learned."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ranking.searched_shop import searched_shop
from tfrec.ranking.confidence import platt, probabilities, reliability
from tfrec.retrieval.confidence import PLACES, Confidence
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.retriever import Retriever
from tfrec.retrieval.scorer import Request
from tfrec.serving.client.answers import parts
from tfrec.tensorflow_setup import tf


def test_planted_probabilities_are_found_again() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(20_000, 3)) * [1.0, 0.1, 30.0] + [5.0, 0.0, -40.0]
    truth = np.array([1.2, -8.0, 0.02, -5.0])
    y = (rng.random(len(x)) < probabilities(truth, x)).astype(np.float64)
    said = probabilities(platt(x, y), x)
    assert np.abs(said - probabilities(truth, x)).mean() < 0.02
    bins = reliability(said, y)
    assert sum(share for _, _, share in bins) == pytest.approx(1)
    assert all(abs(mean - right) < 0.05 for mean, right, _ in bins)
    over = reliability(said**0.3, y)  # who is too sure is seen
    assert sum(share * abs(mean - right) for mean, right, share in over) > 0.1


def test_probabilities_are_the_same_in_graph_and_numpy_and_only_for_words() -> None:
    rng = np.random.default_rng(7)
    scores, sure = rng.normal(size=(4, 50)).astype(np.float32), Confidence([0.7, -0.4, 0.2, -1.0])
    rows = np.array([[3, -1, 7]] * 4, np.int32)
    past = np.array([[-1], [-1], [5], [-1]], np.int32)
    request = Request(tf.constant(["sofa", "", "sofa", "a lamp"]), tf.zeros([4, 2]), tf.constant(past))
    found = sure(request, tf.constant(scores), tf.constant(rows)).numpy()
    assert (found[1:3] == -1).all() and (found[:, 1] == -1).all()
    best = np.sort(scores, axis=1)[:, ::-1]
    for row in (0, 3):
        for place in (0, 2):
            own = scores[row, rows[row, place]]
            x = np.array([[own, best[row, 0] - own, own - best[row, PLACES - 1]]])
            assert found[row, place] == pytest.approx(probabilities(np.array(sure.weights), x)[0], abs=1e-5)


def test_a_shop_with_enough_judged_queries_says_how_sure_it_is(tmp_path) -> None:  # type: ignore[no-untyped-def]
    shop = searched_shop(tmp_path, planted=True, enabled="never")
    fusion = shop.fusion_knowing(("train",))
    assert fusion is not None and fusion.confidence is not None
    assert any("how sure an answer is was learned from 240 queries" in sentence for sentence in shop.told())
    retriever = Retriever(fusion, ColumnFilters({}, shop.shop.size), tf.Variable(shop.catalogue))
    judged = shop.shop.judgments("dev")
    queries = list(judged)
    request = Request(tf.constant(queries), tf.ones([len(queries), 4]) / 2, tf.fill([len(queries), 1], -1))
    _, rows = retriever.top(request, tf.constant(10), False, (0, 1))
    answer = {name: value.numpy() for name, value in retriever.explained(request, rows).items()}
    said = answer["sure"]
    pairs = list(zip(queries, rows, strict=True))
    right = np.array([[judged[q].get(shop.shop.item_ids[row], 0) > 0 for row in own] for q, own in pairs])
    assert said.mean() == pytest.approx(right.mean(), abs=0.1) and said[right].mean() > said[~right].mean()
    assert fusion.described()["confidence"] == fusion.confidence.weights
    [[first, *_], *_] = parts(answer, [2] * len(queries))
    assert first.sure == pytest.approx(float(said[0, 0]))
    del answer["sure"]  # an export that does not say it
    assert parts(answer, [1] * len(queries))[0][0].sure is None


def test_few_judged_queries_say_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    shop = searched_shop(tmp_path, planted=True, trained_on=200, enabled="never")
    fusion = shop.fusion_knowing(("train",))
    assert fusion is not None and fusion.confidence is None
    assert any("fewer than 100 judged queries" in sentence for sentence in shop.told())
