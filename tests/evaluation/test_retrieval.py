"""Exact top-k against a full sort, with ties, exclusions and odd sizes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tfrec.errors import EvaluationError
from tfrec.evaluation import retrieval
from tfrec.evaluation.retrieval import best_of_rows, to_rankings, top_k


def whole_numbers(rows: int, dimensions: int, seed: int, reach: int = 3) -> np.ndarray:
    """Small whole numbers: products are exact in float32 in any order of summation, and ties are many."""
    return np.random.default_rng(seed).integers(-reach, reach + 1, (rows, dimensions)).astype(np.float32)


def reference(queries, catalogue, k, exclude=None):
    """Full matrix, full stable sort."""
    scores = (queries.astype(np.float64) @ catalogue.astype(np.float64).T).astype(np.float32)
    for row, items in enumerate(exclude or []):
        scores[row, np.asarray(items, int)] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(scores, order, axis=1)
    return np.where(np.isneginf(values), -1, order), values


@pytest.mark.parametrize("k", [1, 7, 100, 501])
@pytest.mark.parametrize("block", [1, 64, 499, 500, 65536])
def test_agrees_with_a_full_sort_and_breaks_ties_by_index(k, block):
    queries, catalogue = whole_numbers(33, 4, 1), whole_numbers(501, 4, 2)
    indices, scores = top_k(queries, catalogue, k, block=block)
    wanted, values = reference(queries, catalogue, k)
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_array_equal(scores, values)
    assert indices.dtype == np.int32 and scores.dtype == np.float32


def test_slices_of_queries_and_unit_vectors(monkeypatch):
    monkeypatch.setattr(retrieval, "_BUFFER_SCORES", 1000)
    rng = np.random.default_rng(3)
    queries, catalogue = rng.standard_normal((50, 16)), rng.standard_normal((900, 16))
    indices, _ = top_k(queries, catalogue, 10, block=128)
    np.testing.assert_array_equal(indices, reference(queries, catalogue, 10)[0])


def test_all_equal_scores_give_the_first_items():
    indices, scores = top_k(np.zeros((3, 8)), np.ones((1000, 8)), 5, block=300)
    np.testing.assert_array_equal(indices, np.tile(np.arange(5), (3, 1)))
    assert not scores.any()


@pytest.mark.parametrize("block", [3, 50, 1000])
def test_excluded_items_never_appear(block):
    queries, catalogue = whole_numbers(20, 5, 4), whole_numbers(120, 5, 5)
    rng = np.random.default_rng(6)
    exclude = [rng.choice(120, number * 6, replace=False) for number in range(20)]
    indices, scores = top_k(queries, catalogue, 20, exclude=exclude, block=block)
    wanted, values = reference(queries, catalogue, 20, exclude)
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_array_equal(scores, values)
    assert (indices[19][6:] == -1).all() and (indices[19][:6] >= 0).all()  # 114 of 120 are excluded there


def test_exclude_takes_none_empty_unknown_and_repeated_entries():
    queries, catalogue = whole_numbers(4, 5, 7), whole_numbers(30, 5, 8)
    plain = top_k(queries, catalogue, 3)[0]
    given = top_k(queries, catalogue, 3, exclude=[None, [], [-1, 99], [plain[3, 0]] * 2])[0]
    np.testing.assert_array_equal(given[:3], plain[:3])
    np.testing.assert_array_equal(given[3, :2], plain[3, 1:])


def test_k_beyond_the_catalogue_and_empty_sides():
    indices, scores = top_k(np.ones((2, 3)), np.eye(3), 5)
    np.testing.assert_array_equal(indices, [[0, 1, 2, -1, -1]] * 2)
    assert np.isneginf(scores[:, 3:]).all()
    assert top_k(np.ones((0, 3)), np.eye(3), 5)[0].shape == (0, 5)
    assert (top_k(np.ones((2, 3)), np.ones((0, 3)), 2)[0] == -1).all()


def test_permuting_queries_and_items_permutes_the_answer():
    rng = np.random.default_rng(9)
    queries, catalogue = rng.standard_normal((40, 12)), rng.standard_normal((700, 12))
    indices, scores = top_k(queries, catalogue, 15)
    rows, items = rng.permutation(40), rng.permutation(700)
    shuffled, shuffled_scores = top_k(queries[rows], catalogue[items], 15, block=100)
    np.testing.assert_array_equal(items[shuffled], indices[rows])
    np.testing.assert_allclose(shuffled_scores, scores[rows], rtol=1e-5)


def test_no_matrix_of_queries_by_items_exists():
    rng = np.random.default_rng(0)
    queries, catalogue = rng.random((4000, 8), np.float32), rng.random((40_000, 8), np.float32)
    tracemalloc.start()
    top_k(queries, catalogue, 10, block=8192)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6 < 4 * 4000 * 40_000  # the whole matrix would be 640 MB


def test_a_memory_map_works_as_catalogue(tmp_path):
    catalogue = whole_numbers(300, 6, 1)
    np.save(tmp_path / "items.npy", catalogue)
    mapped = np.load(tmp_path / "items.npy", mmap_mode="r")
    queries = whole_numbers(5, 6, 2)
    np.testing.assert_array_equal(top_k(queries, mapped, 9, block=70)[0], top_k(queries, catalogue, 9)[0])


def test_best_of_rows_with_infinities():
    columns, values = best_of_rows(np.array([[-np.inf, 2, -np.inf, 2, 1]], np.float32), 4)
    np.testing.assert_array_equal(columns, [[1, 3, 4, 0]])
    np.testing.assert_array_equal(values, [[2, 2, 1, -np.inf]])


def test_to_rankings_drops_empty_places():
    indices, scores = np.array([[1, 0], [0, -1]], np.int32), np.array([[2, 1], [3, -np.inf]], np.float32)
    assert to_rankings(["q", "r"], indices, scores, ["a", "b"]) == {"q": [("b", 2.0), ("a", 1.0)], "r": [("a", 3.0)]}


@pytest.mark.parametrize(
    ("queries", "catalogue", "arguments", "words"),
    [
        (np.ones((2, 3)), np.ones((4, 5)), {"k": 1}, "3 dimensions"),
        (np.ones(3), np.ones((4, 3)), {"k": 1}, "query vectors"),
        (np.ones((2, 3)), np.ones((4, 3)), {"k": 0}, "k and block"),
        (np.ones((2, 3)), np.ones((4, 3)), {"k": 1, "block": 0}, "k and block"),
        (np.ones((2, 3)), np.ones((4, 3)), {"k": 1, "exclude": [[1]]}, "exclude has 1"),
        (np.full((2, 3), np.nan), np.ones((4, 3)), {"k": 1}, "query vector holds NaN"),
        (np.ones((2, 3)), np.array([[np.inf, -np.inf, 0]]), {"k": 1}, "item vector holds NaN"),
    ],
)
def test_bad_input_is_named(queries, catalogue, arguments, words):
    with pytest.raises(EvaluationError, match=words):
        top_k(queries, catalogue, **arguments)
