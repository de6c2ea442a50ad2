"""Top lists found block by block are those of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.evaluation.retrieval import top_k
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf


def _vectors(count: int, dimension: int, seed: int) -> np.ndarray:
    # whole numbers: sums are exact, so that equal scores are equal whatever the order of additions
    return np.random.default_rng(seed).integers(-3, 4, (count, dimension)).astype(np.float32)


def _request(vectors: np.ndarray) -> Request:
    return Request(tf.fill([len(vectors)], ""), tf.constant(vectors), tf.fill([len(vectors), 1], -1))


@pytest.mark.parametrize(("size", "block"), [(1, 16), (50, 7), (64, 16), (65, 16), (500, 1000)])
@pytest.mark.parametrize("k", [1, 10, 70])
def test_it_equals_the_whole_catalogue_with_ties_to_the_lower_item(size: int, block: int, k: int) -> None:
    catalogue, queries = _vectors(size, 4, 1), _vectors(5, 4, 2)
    scores, items = DenseScorer(catalogue, block=block).top_k(_request(queries), tf.constant(k))
    expected_items, expected = top_k(queries, catalogue, min(k, size))
    np.testing.assert_array_equal(items, expected_items)
    np.testing.assert_array_equal(scores, expected)


def test_excluded_items_never_appear_and_empty_places_say_so() -> None:
    catalogue, queries = _vectors(30, 4, 3), _vectors(2, 4, 4)
    banned = np.full((2, 29), -1, np.int32)
    banned[0, :3], banned[1] = [0, 17, 29], np.arange(29)
    scores, items = DenseScorer(catalogue, block=8).top_k(_request(queries), tf.constant(30), tf.constant(banned))
    expected_items, expected = top_k(queries, catalogue, 30, [[0, 17, 29], np.arange(29)])
    np.testing.assert_array_equal(items, expected_items)
    np.testing.assert_array_equal(scores, expected)
    assert items[1, 0] == 29 and (items[1, 1:].numpy() == -1).all()


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_low_precision_finds_the_same_best_items_with_exact_scores(precision: str) -> None:
    rng = np.random.default_rng(7)
    catalogue = rng.standard_normal((2000, 32)).astype(np.float32)
    catalogue /= np.linalg.norm(catalogue, axis=1, keepdims=True)
    queries = catalogue[:8] + 0.1 * rng.standard_normal((8, 32)).astype(np.float32)
    scorer = DenseScorer(catalogue, precision, rescore=60, block=512)
    scores, items = scorer.top_k(_request(queries), tf.constant(10))
    expected_items, expected = top_k(queries, catalogue, 10)
    np.testing.assert_array_equal(items, expected_items)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    # more than is rescored: what comes after the candidates stays below them
    assert scorer.top_k(_request(queries), tf.constant(200))[0].shape == (8, 200)
    whole = np.sort(scorer(_request(queries)).numpy(), axis=1)[:, ::-1]
    np.testing.assert_allclose(whole[:, :10], expected, atol=1e-5)


def test_low_precision_reads_rows_of_a_variable_that_is_there_anyway() -> None:
    shared = tf.Variable(_vectors(40, 4, 5))
    held = {id(variable) for variable in DenseScorer(shared, "int8").variables}
    assert id(shared) in held
    # f32 needs no rows: a catalogue is not stored twice more
    assert id(shared) not in {id(variable) for variable in DenseScorer(shared).variables}


@pytest.mark.parametrize(
    "wrong",
    [{"precision": "f16"}, {"rescore": 0}, {"block": 0}, {"catalogue": np.zeros(3)}, {"catalogue": np.zeros((0, 3))}],
)
def test_wrong_arguments_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must be|are needed"):
        DenseScorer(**({"catalogue": np.eye(3)} | wrong))
