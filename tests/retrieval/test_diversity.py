"""Maximal marginal relevance against a NumPy reference written from its definition."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval.diversity import diverse_top
from tfrec.tensorflow_setup import tf


def reference(scores: np.ndarray, vectors: np.ndarray, k: int, diversity: float) -> list[int]:
    order = np.lexsort((np.arange(len(scores)), -scores))
    order = [row for row in order if np.isfinite(scores[row])]
    k = min(k, len(order))
    places, pool = min(k, 100), order[: max(k, min(10 * min(k, 100), 500))]
    head = pool[: min(10 * places, 500)]
    low, high = scores[head].min(), scores[head].max()
    taken: list[int] = []
    relevance = (1 - diversity) * (scores[head] - low) / max(high - low, 1e-9)
    nearest = np.zeros(len(head), np.float32)
    while len(taken) < places:
        gains = relevance - diversity * nearest
        gains[[head.index(row) for row in taken]] = -np.inf
        taken.append(head[int(np.flatnonzero(gains > gains.max() - 1e-7)[0])])
        nearest = np.maximum(nearest, vectors[head] @ vectors[taken[-1]])
    return (taken + [row for row in pool if row not in taken])[:k]


@pytest.fixture(scope="module")
def shop() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = rng.normal(size=(4, 8)).astype(np.float32)
    return (queries @ vectors.T).astype(np.float32), vectors


@pytest.mark.parametrize("k", [1, 5, 17])
@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.7, 1.0])
def test_it_is_the_definition(shop: tuple[np.ndarray, np.ndarray], k: int, diversity: float) -> None:
    scores, vectors = shop
    values, rows = diverse_top(tf.constant(scores), tf.constant(vectors), tf.constant(k), tf.constant(diversity))
    for row in range(len(scores)):
        assert rows[row].numpy().tolist() == reference(scores[row], vectors, k, diversity)
        np.testing.assert_array_equal(values[row], scores[row, rows[row].numpy()])


def test_places_after_the_hundredth_keep_the_order_of_scores(shop: tuple[np.ndarray, np.ndarray]) -> None:
    scores, vectors = shop
    _, rows = diverse_top(tf.constant(scores), tf.constant(vectors), tf.constant(1000), tf.constant(0.5))
    assert rows.shape == (4, 300)
    for row in range(4):
        listed = rows[row].numpy()
        assert sorted(listed) == list(range(300))
        assert (np.diff(scores[row, listed[100:]]) <= 0).all()
        assert listed[:100].tolist() == reference(scores[row], vectors, 100, 0.5)


def test_copies_of_the_best_item_are_not_listed_again() -> None:
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [-1, 0]], np.float32)
    scores = np.array([[0.9, 0.89, 0.88, 0.5, 0.1]], np.float32)
    _, rows = diverse_top(tf.constant(scores), tf.constant(vectors), tf.constant(3), tf.constant(0.6))
    assert rows.numpy()[0].tolist()[:2] == [0, 3]
    assert diverse_top(tf.constant(scores), tf.constant(vectors), tf.constant(3), tf.constant(0.0))[1].numpy()[
        0
    ].tolist() == [0, 1, 2]


def test_excluded_items_come_last_and_say_so() -> None:
    vectors = np.eye(4, dtype=np.float32)
    scores = np.array([[-np.inf, 0.2, -np.inf, 0.4], [-np.inf] * 4], np.float32)
    values, rows = diverse_top(tf.constant(scores), tf.constant(vectors), tf.constant(9), tf.constant(0.5))
    assert rows.numpy()[0, :2].tolist() == [3, 1] and sorted(rows.numpy()[0].tolist()) == [0, 1, 2, 3]
    assert np.isneginf(values.numpy()[0, 2:]).all() and np.isneginf(values.numpy()[1]).all()


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_diversity_outside_its_range_is_refused(diversity: float) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="between 0 and 1"):
        diverse_top(tf.zeros([1, 2]), tf.eye(2), tf.constant(1), tf.constant(diversity))
