"""The meaning guard with similarities that are known."""

from __future__ import annotations

import pytest

from tfrec.augment.guard import MeaningGuard
from tfrec.tensorflow_setup import tf


def first_letters(first, second):
    """1 where the first letters agree, NaN for the empty text, else 0."""
    same = tf.equal(tf.strings.substr(first, 0, 1), tf.strings.substr(second, 0, 1))
    return tf.where(tf.equal(second, ""), float("nan"), tf.cast(same, tf.float32))


@pytest.mark.parametrize("compiled", [False, True])
def test_only_near_variants_stay(compiled):
    guard = MeaningGuard(first_letters, 0.5)
    guard = tf.function(guard) if compiled else guard
    kept = guard(tf.constant(["sofa", "sofa", "lamp", "lamp"]), tf.constant(["sofas", "couch", "lamp", ""]))
    assert kept.numpy().tolist() == [b"sofas", b"sofa", b"lamp", b"lamp"]


def test_equal_rows_are_never_compared():
    def never(first, second):
        raise AssertionError("compared")

    texts = tf.constant(["sofa", ""])
    assert MeaningGuard(never, 1.1)(texts, texts).numpy().tolist() == [b"sofa", b""]


def test_a_bound_that_nothing_reaches_keeps_all_originals():
    before, after = tf.constant(["a", "b"]), tf.constant(["ab", "bc"])
    assert MeaningGuard(first_letters, 1.01)(before, after).numpy().tolist() == [b"a", b"b"]
