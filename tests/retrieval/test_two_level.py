"""A search that reads the groups of near items alone: what it finds, what it says of the rest, and the groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrec.evaluation.retrieval import top_k
from tfrec.export.ops import check_ops
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.grouping import balanced_groups
from tfrec.retrieval.normalising import standard
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.two_level import TwoLevelScorer
from tfrec.retrieval.weights import SituationWeights
from tfrec.tensorflow_setup import tf

KINDS, EACH, DIMENSION = 60, 50, 24


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def catalogue() -> np.ndarray:
    """3,000 items of sixty kinds, in no order."""
    rng = np.random.default_rng(3)
    kinds = np.repeat(_unit(rng.standard_normal((KINDS, DIMENSION))), EACH, axis=0)
    return rng.permutation(_unit(kinds + 0.6 / np.sqrt(DIMENSION) * rng.standard_normal(kinds.shape)))


@pytest.fixture(scope="module")
def queries(catalogue: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(4)
    return _unit(catalogue[::60] + 0.3 / np.sqrt(DIMENSION) * rng.standard_normal((50, DIMENSION)))


@pytest.fixture(scope="module")
def scorer(catalogue: np.ndarray) -> TwoLevelScorer:
    return TwoLevelScorer(catalogue, probes=8, rescore=40, width=32)  # 94 or more groups


def _request(vectors: np.ndarray) -> Request:
    return Request(tf.fill([len(vectors)], ""), tf.constant(vectors), tf.fill([len(vectors), 1], -1))


def test_a_tenth_of_the_groups_holds_nearly_all_of_the_best(
    catalogue: np.ndarray, queries: np.ndarray, scorer: TwoLevelScorer
) -> None:
    scores, items = (part.numpy() for part in scorer.top_k(_request(queries), tf.constant(10)))
    best, _ = top_k(queries, catalogue, 10)
    assert np.mean([len(set(one) & set(other)) / 10 for one, other in zip(items, best, strict=True)]) > 0.95
    np.testing.assert_allclose(scores, np.take_along_axis(queries @ catalogue.T, items, 1), atol=1e-6)
    one = scorer.top_k(_request(queries[7:8]), tf.constant(10))[1]
    np.testing.assert_array_equal(one[0], items[7])  # whatever else is in the batch


def test_all_scores_have_the_same_best_and_the_rest_below(queries: np.ndarray, scorer: TwoLevelScorer) -> None:
    values, items = (part.numpy() for part in scorer.top_k(_request(queries), tf.constant(40)))
    found = tf.math.top_k(scorer(_request(queries)), 40)
    np.testing.assert_allclose(found.values, values, atol=1e-6)
    clear = np.abs(np.diff(values, axis=1)).min(axis=1) > 1e-6
    assert clear.any()
    best = found.indices.numpy()[clear, :-1]  # others may have the score of the last
    np.testing.assert_array_equal(best, items[clear, :-1])


def test_an_item_of_another_group_has_about_its_score(
    catalogue: np.ndarray, queries: np.ndarray, scorer: TwoLevelScorer
) -> None:
    errors = scorer(_request(queries)).numpy() - queries @ catalogue.T
    assert np.abs(errors.mean()) < 0.01 and np.sqrt((errors**2).mean()) < 0.6 * (queries @ catalogue.T).std()


def test_fusion_knows_the_exact_mean_and_deviation(
    catalogue: np.ndarray, queries: np.ndarray, scorer: TwoLevelScorer
) -> None:
    exact = queries @ catalogue.T
    whole = scorer.whole(_request(queries))
    np.testing.assert_allclose(whole.mean[:, 0], exact.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(whole.deviation[:, 0], exact.std(axis=1), atol=1e-5)
    fused = Fusion([scorer], SituationWeights(np.ones([4, 1])))(_request(queries)).numpy()
    best = top_k(queries, catalogue, 1)[0]
    expected = standard(tf.constant(exact)).numpy()
    np.testing.assert_allclose(np.take_along_axis(fused, best, 1), np.take_along_axis(expected, best, 1), atol=1e-3)


def test_excluded_items_are_left_out_and_places_without_an_item_say_so(
    catalogue: np.ndarray, queries: np.ndarray, scorer: TwoLevelScorer
) -> None:
    best = top_k(queries, catalogue, 3)[0].astype(np.int32)
    scores, items = scorer.top_k(_request(queries), tf.constant(3000), tf.constant(best))
    assert items.shape == (50, 3000) and not (items.numpy()[:, :, None] == best[:, None, :]).any()
    nothing = items.numpy() < 0
    assert nothing[:, -1].all() and np.isneginf(scores.numpy()[nothing]).all()
    filled = [row[row >= 0] for row in items.numpy()]
    assert all(len(set(row)) == len(row) > 100 for row in filled)


def test_the_best_survive_a_saved_model_of_stock_ops(
    queries: np.ndarray, scorer: TwoLevelScorer, tmp_path: Path
) -> None:
    def best(vectors: tf.Tensor) -> list[tf.Tensor]:
        words, history = tf.fill([tf.shape(vectors)[0]], ""), tf.fill([tf.shape(vectors)[0], 1], -1)
        return list(scorer.top_k(Request(words, vectors, history), tf.constant(10)))

    module = tf.Module()
    module.scorer = scorer
    module.best = tf.function(best, [tf.TensorSpec([None, DIMENSION])], autograph=False)
    tf.saved_model.save(module, str(tmp_path))
    check_ops(tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    for kept, own in zip(loaded.best(queries), best(tf.constant(queries)), strict=True):
        np.testing.assert_allclose(kept, own, atol=1e-6)


@given(st.integers(1, 90), st.integers(2, 9), st.integers(0, 3))
def test_every_item_is_in_one_group(size: int, width: int, seed: int) -> None:
    vectors = _unit(np.random.default_rng(seed).standard_normal((size, 3)))
    vectors[size // 2 :] = vectors[0]  # many alike
    groups = balanced_groups(vectors, width, seed, "")
    assert sorted(groups[groups >= 0]) == list(range(size)) and groups.shape[1] == width
    assert (np.diff((groups >= 0).astype(int), axis=1) <= 0).all() and (groups[:, 0] >= 0).all()


@pytest.mark.parametrize("wrong", [{"probes": 0}, {"probes": 3, "width": 1}])
def test_nothing_to_read_is_refused(catalogue: np.ndarray, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one group of two places"):
        TwoLevelScorer(catalogue, **wrong)
