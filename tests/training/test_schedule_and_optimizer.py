"""Learning rates over a run, and the update rule."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.tensorflow_setup import keras, tf
from tfrec.training.optimizer import AdamW
from tfrec.training.schedule import Schedule


def test_the_rate_rises_then_falls_to_zero() -> None:
    schedule = Schedule(100, None, 0.1)
    factors = [schedule.factor(schedule.progress(step)) for step in range(101)]
    assert np.argmax(factors) == 10 and factors[10] == pytest.approx(1.0)
    assert factors[-1] == pytest.approx(0.0, abs=1e-9)
    assert all(a < b for a, b in zip(factors[:10], factors[1:11], strict=True))
    assert all(a > b for a, b in zip(factors[10:-1], factors[11:], strict=True))


def test_the_time_budget_ends_a_run_and_counts_earlier_parts() -> None:
    assert Schedule(10**9, 1.0, 0.1, elapsed=60.0).progress(0) == 1.0
    assert Schedule(10**9, 1.0, 0.1, elapsed=30.0).progress(0) == pytest.approx(0.5, abs=0.01)


def _run(optimizer: AdamW, variables: list, gradients: list, steps: int) -> None:
    for step in range(steps):
        optimizer.apply(
            [tf.constant(g) if g is not None else None for g in gradients],
            tf.constant(1.0),
            tf.constant(step, tf.int64),
        )


def test_the_update_is_that_of_keras() -> None:
    rng = np.random.default_rng(0)
    start, gradient = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
    ours, theirs = tf.Variable(start), tf.Variable(start)
    _run(AdamW([([ours], 0.01)], weight_decay=0.1, clip_norm=1e9), [ours], [gradient], 20)
    keras_adamw = keras.optimizers.AdamW(0.01, weight_decay=0.1, epsilon=1e-8, jit_compile=False)
    for _ in range(20):
        keras_adamw.apply_gradients([(tf.constant(gradient), theirs)])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-6)


def test_vectors_do_not_decay_and_matrices_do() -> None:
    matrix, vector = tf.Variable(tf.ones([2, 2])), tf.Variable(tf.ones([2]))
    optimizer = AdamW([([matrix, vector], 0.1)], weight_decay=0.5, clip_norm=1.0)
    _run(optimizer, [matrix, vector], [np.zeros([2, 2], np.float32), np.zeros([2], np.float32)], 1)
    np.testing.assert_allclose(matrix.numpy(), 0.95)
    np.testing.assert_allclose(vector.numpy(), 1.0)


def test_all_gradients_are_clipped_together() -> None:
    variables = [tf.Variable(tf.zeros([1])), tf.Variable(tf.zeros([1]))]
    optimizer = AdamW([(variables, 0.1)], 0.0, clip_norm=1.0)
    norm = optimizer.apply([tf.constant([30.0]), tf.constant([40.0])], tf.constant(1.0), tf.constant(0, tf.int64))
    assert float(norm) == pytest.approx(50.0)
    np.testing.assert_allclose([float(m[0]) for m in optimizer.first], [0.1 * 0.6, 0.1 * 0.8], rtol=1e-5)


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    variable = tf.Variable(tf.ones([2, 2]))
    optimizer = AdamW([([variable], 0.1)], 0.5, 1.0)
    _run(optimizer, [variable], [np.full([2, 2], np.nan, np.float32)], 1)
    np.testing.assert_allclose(variable.numpy(), 1.0)
    assert int(optimizer.updates) == 0


def test_only_touched_rows_of_a_table_change_and_repeated_rows_add_up() -> None:
    tables = [tf.Variable(tf.ones([5, 2])) for _ in range(2)]
    sparse = AdamW([([tables[0]], 0.1)], 0.0, 1e9)
    values = tf.constant([[1.0, 2.0], [3.0, 4.0], [1.0, 1.0]])
    sparse.apply(
        [tf.IndexedSlices(values, tf.constant([3, 3, 0]), tf.constant([5, 2]))],
        tf.constant(1.0),
        tf.constant(0, tf.int64),
    )
    dense = AdamW([([tables[1]], 0.1)], 0.0, 1e9)
    _run(dense, [tables[1]], [np.array([[1, 1], [0, 0], [0, 0], [4, 6], [0, 0]], np.float32)], 1)
    np.testing.assert_allclose(tables[0].numpy(), tables[1].numpy(), rtol=1e-5)
    np.testing.assert_allclose(tables[0].numpy()[[1, 2, 4]], 1.0)


def test_accumulated_steps_equal_one_step_on_their_mean() -> None:
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(4, 3, 2)).astype(np.float32)
    split, whole = tf.Variable(tf.ones([3, 2])), tf.Variable(tf.ones([3, 2]))
    accumulated = AdamW([([split], 0.1)], 0.01, 1.0, accumulate_steps=4)
    for step, gradient in enumerate(gradients):
        accumulated.apply([tf.constant(gradient)], tf.constant(1.0), tf.constant(step, tf.int64))
    _run(AdamW([([whole], 0.1)], 0.01, 1.0), [whole], [gradients.mean(axis=0)], 1)
    np.testing.assert_allclose(split.numpy(), whole.numpy(), rtol=1e-5)
