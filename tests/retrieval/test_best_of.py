"""The best of many items by blocks are those of the whole, also among equal scores and where few are left."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval.ranking import best_of
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
    values, rows = by_blocks(tf.constant(scores, tf.float32), tf.constant(k))
    expected = tf.math.top_k(tf.constant(scores, tf.float32), k)
    np.testing.assert_array_equal(values, expected.values)
    np.testing.assert_array_equal(rows, expected.indices)
