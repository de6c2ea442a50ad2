"""Fusion of scorers, its pool of candidates, and its tuning, against NumPy and against trec_eval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tfrec.evaluation.metrics import NDCG, evaluate_rankings
from tfrec.evaluation.recommendation import evaluate_recommendations
from tfrec.evaluation.retrieval import best_of_rows, to_rankings
from tfrec.retrieval.answers import rank_requests
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.normalising import NORMALISATIONS
from tfrec.retrieval.pool import Pool, build_pool
from tfrec.retrieval.prior import PriorScorer
from tfrec.retrieval.quality import ndcg, recall, recommendation_quality, search_quality
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.retrieval.tuning import Weighing, alone_quality
from tfrec.retrieval.weights import SituationWeights, weights_table
from tfrec.tensorflow_setup import tf

ITEMS, WIDTH = 150, 6


class Linear(Scorer):
    """Scores that are a matrix product of the vectors: with noise, of known worth."""

    def __init__(self, label: str, matrix: np.ndarray) -> None:
        super().__init__()
        self.label, self.matrix = label, tf.constant(matrix, tf.float32)

    def __call__(self, request: Request) -> Any:
        return tf.matmul(request.vectors, self.matrix)


class OfHistory(Scorer):
    """Neighbours of the history's items by number; nothing for no history."""

    def __init__(self, label: str = "history") -> None:
        super().__init__()
        self.label = label

    def __call__(self, request: Request) -> Any:
        items = tf.range(ITEMS)[None, None, :]
        past = request.history[..., None]
        near = tf.where(past >= 0, 1.0 / (1.0 + tf.abs(tf.cast(items - past, tf.float32))), 0.0)
        return tf.reduce_sum(near, axis=1)


class Towers:
    """Query vectors by the number in the text."""

    speller = None

    def __init__(self, count: int) -> None:
        self.vectors = np.random.default_rng(5).normal(size=(count, WIDTH)).astype(np.float32)

    def query_vectors(self, queries: Sequence[str], histories: Any = None) -> np.ndarray:
        return np.stack([self.vectors[int(q)] if q else np.zeros(WIDTH, np.float32) for q in queries])


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    """40 queries whose truth follows from two directions, each known to one scorer, and a third that knows nothing."""
    rng = np.random.default_rng(7)
    towers = Towers(40)
    first, second, noise = (rng.normal(size=(WIDTH, ITEMS)).astype(np.float32) for _ in range(3))
    belief = towers.vectors @ (first + second)
    truths = [{int(i): [1.0, 0.5, 0.25][n] for n, i in enumerate(np.argsort(-row)[:3])} for row in belief]
    scorers = [Linear("first", first), Linear("second", second), Linear("noise", noise)]
    return {"towers": towers, "truths": truths, "scorers": scorers, "queries": [str(n) for n in range(40)]}


def request_of(world: dict[str, Any], histories: list[list[int]] | None = None) -> Request:
    queries = world["queries"]
    past = np.full([len(queries), 2], -1, np.int32)
    for row, items in enumerate(histories or []):
        past[row, : len(items)] = items
    return Request(tf.constant(queries), tf.constant(world["towers"].query_vectors(queries)), tf.constant(past))


def fused(world: dict[str, Any], weights: Sequence[float], normalisation: str = "z-score") -> Fusion:
    return Fusion(world["scorers"], SituationWeights(np.tile(weights, (4, 1))), normalisation)


def reference(scores: np.ndarray, normalisation: str) -> np.ndarray:
    if normalisation == "z-score":
        return (scores - scores.mean(1, keepdims=True)) / (scores.std(1, keepdims=True) + 1e-6)
    if normalisation == "min-max":
        return (scores - scores.min(1, keepdims=True)) / np.ptp(scores, axis=1)[:, None]
    if normalisation == "peak":
        return 8 * scores / scores.max(1, keepdims=True)
    above = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    return 61 / (61 + above)


@pytest.mark.parametrize("normalisation", list(NORMALISATIONS))
def test_fused_scores_and_top_are_numpys(world: dict[str, Any], normalisation: str) -> None:
    weights = [0.5, 0.3, 0.2]
    scorer = fused(world, weights, normalisation)
    vectors = world["towers"].vectors
    expected = sum(
        w * reference(vectors @ s.matrix.numpy(), normalisation) for w, s in zip(weights, world["scorers"], strict=True)
    )
    np.testing.assert_allclose(scorer(request_of(world)), expected, atol=2e-5)
    rows, scores = rank_requests(world["towers"], scorer, world["queries"], None, 7, ITEMS)
    np.testing.assert_allclose(scores, best_of_rows(expected.astype(np.float32), 7)[1], atol=2e-5)
    assert (rows == best_of_rows(expected.astype(np.float32), 7)[0]).mean() > 0.99


def test_words_count_by_their_best_item_and_all_else_by_its_deviation(world: dict[str, Any]) -> None:
    dense, words, _ = world["scorers"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "sparse", True)
        scorer = Fusion([dense, words], SituationWeights(np.ones([4, 2])))
    vectors = world["towers"].vectors
    request = Request(tf.constant(world["queries"]), tf.constant(vectors), tf.fill([len(vectors), 1], -1))
    parts = scorer.parts(request).numpy()
    for number, kind in enumerate(("z-score", "peak")):
        scores = vectors @ world["scorers"][number].matrix.numpy()
        np.testing.assert_allclose(parts[:, number], reference(scores, kind), atol=1e-4)


@pytest.mark.parametrize("normalisation", list(NORMALISATIONS))
def test_a_scorer_with_nothing_to_say_changes_nothing(world: dict[str, Any], normalisation: str) -> None:
    alone = Fusion(world["scorers"][:1], SituationWeights(np.ones([4, 1])), normalisation)
    both = Fusion([world["scorers"][0], OfHistory()], SituationWeights(np.ones([4, 2])), normalisation)
    histories = [[3, 4] if n % 2 else [] for n in range(40)]
    request = request_of(world, histories)
    silent, spoken = alone(request).numpy(), both(request).numpy()
    np.testing.assert_array_equal(silent[::2], spoken[::2])
    assert not np.allclose(silent[1::2], spoken[1::2], atol=1e-3)


@pytest.mark.parametrize("normalisation", list(NORMALISATIONS))
def test_equal_items_get_equal_scores_and_all_are_finite(normalisation: str) -> None:
    matrix = np.random.default_rng(1).normal(size=(WIDTH, ITEMS)).astype(np.float32)
    matrix[:, 9] = matrix[:, 70]
    scorer = Fusion([Linear("one", matrix), OfHistory()], SituationWeights(np.ones([4, 2])), normalisation)
    request = Request(tf.constant(["", "a"]), tf.zeros([2, WIDTH]), tf.fill([2, 1], -1))
    assert np.isfinite(scorer(request)).all()
    scores = scorer(request._replace(vectors=tf.random.stateless_normal([2, WIDTH], [1, 2]))).numpy()
    np.testing.assert_array_equal(scores[:, 9], scores[:, 70])


def test_ranks_after_the_thousandth_do_not_count() -> None:
    scores = np.random.default_rng(2).permutation(2500).astype(np.float32)[None]
    scores[0, scores[0] == 1499] = 1500  # the thousandth place is shared
    ranked = NORMALISATIONS["rank"](tf.constant(scores)).numpy()
    expected = np.where(scores >= 1500, reference(scores, "rank"), 0)
    np.testing.assert_allclose(ranked, expected, rtol=1e-6)
    assert (ranked > 0).sum() == 1001


def test_each_situation_has_its_weights() -> None:
    labels = ["dense", "lexical", "collaborative"]
    tasks = {"search": {"dense": 0.4, "lexical": 0.6}, "recommendation": {"dense": 0.2, "collaborative": 0.8}}
    table = weights_table(labels, tasks, 0.25)
    expected = [[0.2, 0, 0.8], [0.4, 0.6, 0], [0.2, 0, 0.8], [0.35, 0.45, 0.2]]
    np.testing.assert_allclose(table, expected, atol=1e-6)
    weights = SituationWeights(table)
    history = tf.constant([[-1, -1], [-1, -1], [-1, 5], [5, -1], [-1, -1]])
    request = Request(tf.constant(["", "red", "\u3000", "red", " \t"]), tf.zeros([5, 1]), history)
    np.testing.assert_allclose(weights(request), np.array(expected)[[0, 1, 2, 3, 0]], atol=1e-6)
    assert weights.used([1]).tolist() == [True, True, False] and weights.used([0, 1]).all()
    np.testing.assert_allclose(weights_table(labels, {}, 0.3), [[1, 0, 0]] * 4)


def test_where_a_request_holds_nothing_what_is_known_of_the_items_ranks() -> None:
    labels = ["dense", "lexical", "popularity", "recency"]
    tasks = {"recommendation": {"dense": 1.0}, "nothing": {"popularity": 3.0, "recency": 1.0}}
    nothing, *others = weights_table(labels, tasks, 0.25)
    np.testing.assert_allclose(nothing, np.array([0.001, 0, 0.75, 0.25]) / 1.001, atol=1e-6)
    np.testing.assert_allclose(others, [[1, 0, 0, 0]] * 3)
    silent = tasks | {"nothing": dict.fromkeys(labels, 0.0)}  # no scorer of the items themselves
    np.testing.assert_allclose(weights_table(labels, silent, 0.25), [[1, 0, 0, 0]] * 4)


@pytest.mark.parametrize("normalisation", list(NORMALISATIONS))
def test_one_row_of_a_constant_scorer_stands_for_all(world: dict[str, Any], normalisation: str) -> None:
    prior = PriorScorer("sold", np.arange(ITEMS) % 11)
    fusion = Fusion([*world["scorers"], prior], SituationWeights(np.tile([0.4, 0.2, 0.1, 0.3], (4, 1))), normalisation)
    request = request_of(world)
    rows = prior(request).numpy()
    assert rows.shape == (40, ITEMS) and (rows == rows[0]).all()
    parts = fusion.parts(request).numpy()
    np.testing.assert_allclose(parts[:, 3], NORMALISATIONS[normalisation](tf.constant(rows)), atol=1e-6)
    np.testing.assert_allclose(fusion(request), np.einsum("bsn,s->bn", parts, [0.4, 0.2, 0.1, 0.3]), atol=1e-5)
    np.testing.assert_allclose(fusion.weighted_parts(request).numpy().sum(axis=1), fusion(request), atol=1e-5)
    none = Request(*(values[:0] for values in request))
    assert fusion(none).shape == (0, ITEMS) and fusion.parts(none).shape == (0, 4, ITEMS)
    alone = Fusion([prior], SituationWeights(np.ones([4, 1])), normalisation)
    assert alone(request).shape == (40, ITEMS)


def test_scorers_without_weight_are_not_in_the_graph(world: dict[str, Any]) -> None:
    table = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    scorer = Fusion(world["scorers"], SituationWeights(table))
    request = request_of(world)
    np.testing.assert_array_equal(scorer(request, [1]), scorer(request))
    graph = tf.function(lambda r: scorer(r, [1])).get_concrete_function(request).graph
    assert sum(node.type == "MatMul" for node in graph.get_operations()) == 1


def test_a_fusion_that_cannot_be_is_refused(world: dict[str, Any]) -> None:
    scorers = world["scorers"]
    for bad, weights, normalisation in (
        ([], np.ones([4, 0]), "z-score"),
        ([scorers[0], scorers[0]], np.ones([4, 2]), "z-score"),
        (scorers, np.ones([4, 2]), "z-score"),
        (scorers, np.ones([4, 3]), "softmax"),
    ):
        with pytest.raises(ValueError, match="fusion needs|normalisation"):
            Fusion(bad, SituationWeights(weights), normalisation)


@pytest.fixture(scope="module")
def pool(world: dict[str, Any]) -> Pool:
    scorer = fused(world, [1, 1, 1])
    return build_pool(scorer, world["towers"], world["queries"], None, world["truths"], ITEMS, depth=30)


def test_quality_in_the_pool_is_that_of_trec_eval_on_the_whole_catalogue(world: dict[str, Any], pool: Pool) -> None:
    ids = [f"i{n:03}" for n in range(ITEMS)]
    judgments = {
        q: {ids[i]: gain for i, gain in truth.items()}
        for q, truth in zip(world["queries"], world["truths"], strict=True)
    }
    for weights in ([1, 0, 0], [0.6, 0.4, 0], [0.2, 0.3, 0.5]):
        rows, scores = rank_requests(world["towers"], fused(world, weights), world["queries"], None, 20, ITEMS)
        found = evaluate_rankings(judgments, to_rankings(world["queries"], rows, scores, ids))
        np.testing.assert_allclose(search_quality(pool, np.array(weights)), found.per_query[NDCG], atol=1e-4)
        truths = [list(truth) for truth in world["truths"]]
        bought = evaluate_recommendations(truths, rows, ITEMS)
        binary = [dict.fromkeys(truth, 1.0) for truth in truths]
        of_shoppers = build_pool(
            fused(world, weights), world["towers"], world["queries"], None, binary, ITEMS, depth=30
        )
        np.testing.assert_allclose(ndcg(of_shoppers, np.array(weights), 20), bought.per_user["nDCG@20"], atol=1e-5)
        np.testing.assert_allclose(recall(of_shoppers, np.array(weights), 20), bought.per_user["Recall@20"], atol=1e-5)


def test_weights_go_to_the_scorers_that_know(pool: Pool) -> None:
    weighing = Weighing(pool, search_quality, np.zeros(3), 0)
    weights, every = weighing.weights(), np.arange(40)
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()
    assert weights[0] > 0.25 and weights[1] > 0.25 and weights[2] < 0.15
    alone = alone_quality(pool, search_quality).mean(axis=1)
    assert weighing.reached(weights, every).mean() > 0.93 > alone.max() + 0.1
    some = np.arange(0, 40, 2)
    others = weighing.reached(weighing.weights(some), some + 1)
    assert alone.max() + 0.1 < others.mean()
    np.testing.assert_array_equal(Weighing(pool, search_quality, np.zeros(3), 0).weights(), weights)


def test_a_scorer_that_needs_no_help_gets_nearly_all(world: dict[str, Any]) -> None:
    truth = world["towers"].vectors @ world["scorers"][0].matrix.numpy()
    truths = [{int(row.argmax()): 1.0} for row in truth]
    pool = build_pool(fused(world, [1, 1, 1]), world["towers"], world["queries"], None, truths, ITEMS)
    assert Weighing(pool, search_quality, np.zeros(3), 0).weights()[0] > 0.8


def test_a_history_is_no_candidate_and_may_be_scored(world: dict[str, Any]) -> None:
    histories = [[n, n + 1] for n in range(40)]
    scorer = Fusion([OfHistory(), world["scorers"][2]], SituationWeights(np.ones([4, 2])))
    truths = [{item: 1.0 for item in (n - 1, n + 2) if item >= 0} for n in range(40)]
    pool = build_pool(scorer, world["towers"], [""] * 40, histories, truths, ITEMS, exclude_history=True, depth=10)
    for row, history in enumerate(histories):
        assert not set(history) & set(pool.items[row].tolist())
    assert recommendation_quality(pool, np.array([1.0, 0.0])).mean() > 0.99
    assert pool.flags[:, :2].tolist() == [[0, 1]] * 40
    np.testing.assert_allclose(pool.flags[:, 2], np.log(3), rtol=1e-6)
    rows, _ = rank_requests(world["towers"], scorer, [""] * 40, histories, ITEMS + 5, ITEMS, exclude_history=True)
    assert (rows[:, -7:] == -1).all() and (rows[:, :-7] >= 0).all()
    assert all(not set(history) & set(row.tolist()) for history, row in zip(histories, rows, strict=True))
