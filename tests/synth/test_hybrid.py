"""The best of many scores against a full sort, ties and all."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.synth.hybrid import best, hybrid_scores


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5000), st.integers(1, 60), st.integers(2, 500))
def test_the_best_are_those_of_a_full_sort(seed: int, size: int, count: int, levels: int) -> None:
    scores = np.random.default_rng(seed).integers(levels, size=size).astype(np.float32)
    count = min(count, size)
    assert best(scores, count).tolist() == np.lexsort((np.arange(size), -scores))[:count].tolist()
    assert not len(best(scores, 0))


def test_the_sum_knows_no_scale() -> None:
    rng = np.random.default_rng(0)
    dense, lexical = rng.random([3, 50]).astype(np.float32), rng.random([3, 50]).astype(np.float32)
    kept = dense.copy()
    total = hybrid_scores(dense, lexical)
    np.testing.assert_allclose(hybrid_scores(7 * dense + 3, 90 * lexical), total, atol=1e-3)
    np.testing.assert_allclose(total.mean(axis=1), 0, atol=1e-5)
    assert np.array_equal(dense, kept), "what was given stays as it was"
