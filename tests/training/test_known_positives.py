"""Candidates that must not count as negatives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.tensorflow_setup import tf
from tfrec.training.known_positives import KnownPositives


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_allowed_is_exactly_own_positive_or_unknown(data: st.DataObject) -> None:
    size, groups = 7, 4
    pairs = data.draw(st.lists(st.tuples(st.integers(0, groups - 1), st.integers(0, size - 1)), max_size=12))
    rows = data.draw(st.lists(st.integers(0, groups - 1), min_size=1, max_size=5))
    items = data.draw(st.lists(st.integers(0, size - 1), min_size=len(rows), max_size=len(rows) + 3))
    known = KnownPositives([g for g, _ in pairs], [i for _, i in pairs], size)
    allowed = known.allowed(tf.constant(rows, tf.int64), tf.constant(items, tf.int64)).numpy()
    for b, group in enumerate(rows):
        for c, item in enumerate(items):
            wanted = c == b or ((group, item) not in pairs and item != items[b])
            assert allowed[b, c] == wanted


def test_the_largest_pair_is_found() -> None:
    known = KnownPositives([3], [6], 7)
    allowed = known.allowed(tf.constant([3], tf.int64), tf.constant([0, 6], tf.int64)).numpy()
    assert allowed.tolist() == [[True, False]]
    assert np.asarray(allowed).dtype == bool
