"""The best of many items by blocks are those of the whole, also among equal scores and where few are left."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval.ranking import best_of, without
from tfrec.tensorflow_setup import tf


@pytest.fixture(scope="module")
def by_blocks():
    """A graph for any size."""
    specs = [tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([], tf.int32)]
    return tf.function(best_of, input_signature=specs, autograph=False)


@pytest.mark.parametrize("size", [1, 63, 4095, 4096, 4097, 6400, 9001])
@pytest.mark.parametrize("k", [1, 7, 30, 60])
@pytest.mark.parametrize("kind", ["many values", "few values", "hardly any left", "rising"])
def test_blocks_give_what_the_op_gives(by_blocks, size: int, k: int, kind: str) -> None:
    rng = np.random.default_rng(size + k)
    scores = {
        "many values": rng.standard_normal((3, size)),
        "few values": rng.integers(0, 3, (3, size)).astype(float),
        "hardly any left": np.where(rng.random((3, size)) < 10 / size, rng.integers(0, 3, (3, size)), -np.inf),
        "rising": np.tile(np.arange(size) // 5, [3, 1]).astype(float),
    }[kind]
    k = min(k, size)
    scores = tf.constant(scores, tf.float32)
    expected = tf.math.top_k(scores, k)
    for values, rows in (by_blocks(scores, tf.constant(k)), best_of(scores, k)):
        np.testing.assert_array_equal(values, expected.values)
        np.testing.assert_array_equal(rows, expected.indices)


@pytest.mark.parametrize("size", [80, 6400])
def test_excluded_items_are_not_among_them_and_the_scores_stay(size: int) -> None:
    rng = np.random.default_rng(size)
    scores = rng.standard_normal((3, size)).astype(np.float32)
    first = np.argsort(-scores, axis=1)[:, [0, 3, 0]].astype(np.int32)  # the same item twice
    first[1] = -1
    given, expected = tf.constant(scores), scores.copy()
    np.put_along_axis(expected[::2], first[::2], -np.inf, axis=1)
    values, rows = best_of(given, 20, tf.constant(first))
    np.testing.assert_array_equal(rows, np.argsort(-expected, axis=1)[:, :20])
    np.testing.assert_array_equal(values, np.take_along_axis(expected, rows.numpy(), axis=1))
    np.testing.assert_array_equal(without(given, tf.constant(first)), expected)
    np.testing.assert_array_equal(given, scores)


def test_no_requests_have_no_best() -> None:
    values, rows = best_of(tf.zeros([0, 6400]), 20, tf.zeros([0, 3], tf.int32))
    assert values.shape == rows.shape == [0, 20]
