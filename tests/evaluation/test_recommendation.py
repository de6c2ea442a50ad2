"""Recommendation metrics against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tfrec.errors import EvaluationError
from tfrec.evaluation.recommendation import COVERAGE, HIT_RATE, MRR, NDCG, RECALL, evaluate_recommendations

RANKED = np.array([[4, 7, 1], [0, 1, 2], [5, -1, -1], [9, 8, 7]], np.int32)
TRUTHS = [[1, 4, 6], [9], [5], []]


def test_known_truth():
    metrics = evaluate_recommendations(TRUTHS, RANKED, 20)
    assert metrics.users.tolist() == [0, 1, 2] and metrics.skipped == 1 and metrics.count == 3
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    np.testing.assert_allclose(metrics.per_user[RECALL], [2 / 3, 0, 1])
    np.testing.assert_allclose(metrics.per_user[NDCG], [(1 + 1 / math.log2(4)) / ideal, 0, 1])
    np.testing.assert_allclose(metrics.per_user[HIT_RATE], [1, 0, 1])
    np.testing.assert_allclose(metrics.per_user[MRR], [1, 0, 1])
    second = evaluate_recommendations([[7, 1]], RANKED[:1], 20)
    assert second.means[MRR] == 0.5, "the first right item stands second"
    assert metrics.coverage == pytest.approx(len({4, 7, 1, 0, 2, 5}) / 20)
    assert metrics.means[COVERAGE] == metrics.coverage
    assert metrics.means[RECALL] == pytest.approx((2 / 3 + 1) / 3)


def test_a_truth_above_20_can_be_served_perfectly():
    metrics = evaluate_recommendations([list(range(50))], np.arange(30)[None], 100)
    assert metrics.means[RECALL] == metrics.means[NDCG] == pytest.approx(1.0)
    assert metrics.coverage == 0.2  # places after the 20th are not shown


def test_place_21_does_not_count():
    lists = np.arange(40)[None]
    assert evaluate_recommendations([[19]], lists, 40).means[HIT_RATE] == 1
    assert evaluate_recommendations([[20]], lists, 40).means[HIT_RATE] == 0


def test_repeats_in_truth_and_ranking_count_once():
    once = evaluate_recommendations([[3, 5]], np.array([[1, 3, 2, 2]]), 9)
    twice = evaluate_recommendations([[3, 5, 3]], np.array([[1, 3, 3, 3]]), 9)
    assert all(once.per_user[name][0] == twice.per_user[name][0] for name in once.per_user)


def test_permuting_shoppers_and_renaming_items_changes_nothing():
    rng = np.random.default_rng(1)
    ranked = np.stack([rng.permutation(60)[:25] for _ in range(30)])
    truths = [rng.choice(60, rng.integers(0, 30), replace=False).tolist() for _ in range(30)]
    before = evaluate_recommendations(truths, ranked, 60)
    rows, names = rng.permutation(30), rng.permutation(60)
    after = evaluate_recommendations([names[truths[row]].tolist() for row in rows], names[ranked[rows]], 60)
    assert after.means == pytest.approx(before.means)
    assert sorted(after.per_user[NDCG]) == pytest.approx(sorted(before.per_user[NDCG]))


@pytest.mark.parametrize(
    ("truths", "ranked", "words"),
    [
        ([[1]], np.zeros((2, 3), int), "one row each"),
        ([[], []], np.zeros((2, 3), int), "None of the 2 shoppers"),
        ([[1]], np.array([[7]]), "item 7"),
    ],
)
def test_bad_input_is_named(truths, ranked, words):
    with pytest.raises(EvaluationError, match=words):
        evaluate_recommendations(truths, ranked, 5)
