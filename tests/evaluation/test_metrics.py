"""Ranking metrics against numbers worked out by hand."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tfrec.errors import EvaluationError
from tfrec.evaluation.metrics import MAP, METRICS, MRR, NDCG, RECALL_10, RECALL_100, evaluate_rankings


def ranking(*items: str) -> list[tuple[str, float]]:
    return [(item, 1.0 / (place + 1)) for place, item in enumerate(items)]


JUDGMENTS = {
    "sofa": {"a": 1.0, "b": 0.1, "c": 0.01, "d": 0.0, "e": 1.0},
    "lamp": {"f": 1.0, "g": 0.0},
    "only substitutes": {"b": 0.1},
    "nothing right": {"a": 0.0},
    "no ranking": {"a": 1.0},
}
RANKINGS = {
    "sofa": ranking("b", "unjudged", "a", "d"),
    "lamp": ranking("f"),
    "only substitutes": ranking("x", "b"),
    "nothing right": ranking("a"),
    "not judged at all": ranking("a"),
}


def test_known_truth():
    metrics = evaluate_rankings(JUDGMENTS, RANKINGS)
    assert metrics.query_ids == ["sofa", "lamp", "only substitutes", "no ranking"]
    assert (metrics.skipped, metrics.unanswered, metrics.count) == (1, 1, 4)
    # Linear gains: 0.1 at place 1, 1.0 at place 3; the ideal uses all judged items, also those not retrieved.
    dcg = 0.1 / math.log2(2) + 1.0 / math.log2(4)
    ideal = 1.0 / math.log2(2) + 1.0 / math.log2(3) + 0.1 / math.log2(4) + 0.01 / math.log2(5)
    per_query = metrics.per_query
    np.testing.assert_allclose(per_query[NDCG], [dcg / ideal, 1.0, 1 / math.log2(3), 0.0], atol=1e-12)
    np.testing.assert_allclose(per_query[MRR], [1 / 3, 1.0, np.nan, 0.0])
    np.testing.assert_allclose(per_query[RECALL_10], [1 / 2, 1.0, np.nan, 0.0])
    np.testing.assert_allclose(per_query[RECALL_100], [1 / 2, 1.0, np.nan, 0.0])
    np.testing.assert_allclose(per_query[MAP], [(1 / 3) / 2, 1.0, np.nan, 0.0])
    assert metrics.means[MRR] == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert metrics.to_dict()["queries_with_relevant"] == 3
    assert all(values.dtype == np.float64 for values in per_query.values())


def test_exponential_gains_would_differ():
    # 2^gain - 1 over gains 0.5 and 1.0 gives another ratio than 0.5 : 1.0, so this fails on exponential gains.
    value = evaluate_rankings({"q": {"a": 1.0, "b": 0.5}}, {"q": ranking("b", "a")}).per_query[NDCG][0]
    assert value == pytest.approx((0.5 + 1 / math.log2(3)) / (1 + 0.5 / math.log2(3)), abs=1e-12)


@pytest.mark.parametrize("scores", [(1.0, 1.0, 1.0), (3.0, 2.0, 1.0), (-5.0, 0.0, math.nan)])
def test_the_order_of_the_list_counts_not_the_scores(scores):
    items = [("z", scores[0]), ("m", scores[1]), ("a", scores[2])]
    for first, place in (("z", 1), ("m", 2), ("a", 3)):
        assert evaluate_rankings({"q": {first: 1.0}}, {"q": items}).per_query[MRR][0] == pytest.approx(1 / place)


def test_cut_offs_at_10_and_100():
    items = [f"i{place}" for place in range(1, 151)]
    for place, ten, hundred in ((10, 1.0, 1.0), (11, 0.0, 1.0), (100, 0.0, 1.0), (101, 0.0, 0.0)):
        per_query = evaluate_rankings({"q": {f"i{place}": 1.0}}, {"q": ranking(*items)}).per_query
        assert (per_query[RECALL_10][0], per_query[RECALL_100][0]) == (ten, hundred)
        assert (per_query[NDCG][0] > 0) == bool(ten)
        assert per_query[MRR][0] == per_query[MAP][0] == pytest.approx(hundred / place)


def test_a_repeated_item_counts_once_at_its_first_place():
    repeated = evaluate_rankings({"q": {"a": 1.0, "b": 1.0}}, {"q": ranking("x", "a", "a", "a", "b")}).per_query
    clean = evaluate_rankings({"q": {"a": 1.0, "b": 1.0}}, {"q": ranking("x", "a", "b")}).per_query
    assert all(repeated[name][0] == clean[name][0] for name in METRICS)


def _random_case(seed: int) -> tuple[dict[str, dict[str, float]], dict[str, list[tuple[str, float]]]]:
    rng = random.Random(seed)
    items = [f"item {number}" for number in range(60)]
    judgments = {
        f"q{number}": {item: rng.choice([0.0, 0.01, 0.1, 1.0]) for item in rng.sample(items, 20)}
        for number in range(12)
    }
    return judgments, {query: ranking(*rng.sample(items, 40)) for query in judgments}


def test_order_of_queries_and_judgments_and_names_of_items_change_nothing():
    judgments, rankings = _random_case(1)
    before = evaluate_rankings(judgments, rankings)
    rng = random.Random(2)
    shuffled = {q: dict(rng.sample(list(judgments[q].items()), 20)) for q in rng.sample(list(judgments), 12)}
    names = {f"item {number}": f"{(number * 37) % 60:02d}-renamed" for number in range(60)}
    renamed = {q: {names[item]: gain for item, gain in items.items()} for q, items in shuffled.items()}
    renamed_rankings = {q: [(names[item], score) for item, score in items] for q, items in rankings.items()}
    after = evaluate_rankings(renamed, renamed_rankings)
    place = [after.query_ids.index(query) for query in before.query_ids]
    for name in METRICS:
        np.testing.assert_array_equal(before.per_query[name], after.per_query[name][place])


def test_moving_a_relevant_item_up_never_hurts():
    judgments, rankings = _random_case(3)
    base = evaluate_rankings(judgments, rankings)
    for place, query in enumerate(base.query_ids):
        best = max(judgments[query], key=judgments[query].__getitem__)
        improved = [(best, 9.0)] + [pair for pair in rankings[query] if pair[0] != best]
        after = evaluate_rankings({query: judgments[query]}, {query: improved}).per_query
        for name in METRICS:
            assert after[name][0] >= base.per_query[name][place] - 1e-12 or np.isnan(after[name][0])


def test_relevant_gain_moves_what_counts_as_relevant():
    judgments, rankings = {"q": {"a": 0.1, "b": 1.0}}, {"q": ranking("a", "b")}
    assert evaluate_rankings(judgments, rankings, 0.5).means[MRR] == 0.5
    assert evaluate_rankings(judgments, rankings, 0.1).means[MRR] == 1.0
    float32_gain = {"q": {"a": float(np.float32(0.1)), "b": 1.0}}
    assert evaluate_rankings(float32_gain, rankings, 0.1).means[MRR] == 1.0


@pytest.mark.parametrize(
    ("judgments", "relevant_gain", "words"),
    [
        ({}, 0.5, "nothing to evaluate"),
        ({"q": {"a": 0.0}}, 0.5, "nothing to evaluate"),
        ({"q": {"a": 3.0}}, 0.5, "'a'"),
        ({"q": {"a": math.nan}}, 0.5, "'q'"),
        ({"q": {"a": 1.0}}, 0.0, "relevant_gain"),
        ({"q": {"a": 1.0}}, 1.5, "relevant_gain"),
    ],
)
def test_bad_input_is_named(judgments, relevant_gain, words):
    with pytest.raises(EvaluationError, match=words):
        evaluate_rankings(judgments, {}, relevant_gain)
