"""Parts of a correction are the integral of the model's gradients, and sum up to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.ranking.models import attributed, new_model
from tfrec.tensorflow_setup import tf


def drawn_model(kind: str) -> tuple[Any, Any]:
    """A model whose weights are all drawn, and inputs float32 [2, 3, 7], one of them without any slope."""
    rng = np.random.default_rng(4)
    model = new_model(kind, 7, 0.0)
    model.set_weights([rng.normal(size=weight.shape).astype(np.float32) / 2 for weight in model.get_weights()])
    inputs = rng.normal(size=(2, 3, 7)).astype(np.float32)
    inputs[1, 2] = 0.0
    return model, tf.constant(inputs)


@pytest.mark.parametrize("kind", ["linear", "dcn"])
def test_parts_are_integrated_gradients(kind: str) -> None:
    model, inputs = drawn_model(kind)
    steps, total = 4000, np.zeros(inputs.shape)
    shares = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    for some in np.split(shares, 8):
        along = tf.reshape(some[:, None, None, None] * inputs, [-1, 3, 7])
        with tf.GradientTape() as tape:
            tape.watch(along)
            said = tf.reduce_sum(model(along))
        total += tf.reduce_sum(tf.reshape(tape.gradient(said, along), [-1, *inputs.shape]), axis=0).numpy()
    found = attributed(model, inputs).numpy()
    np.testing.assert_allclose(found, inputs.numpy() * total / steps, atol=5e-3)
    above = model(inputs) - model(tf.zeros_like(inputs))
    np.testing.assert_allclose(found.sum(axis=2), above, atol=1e-5)
    assert not found[1, 2].any()
