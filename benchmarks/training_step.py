"""The training step the speed benchmarks time: forward, backward and AdamW, at a rate that changes next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_RATE = 1e-6


def training_step(config: Any, shop: Any, encoder: Any) -> Callable[[Any, int], float]:
    """A function (batch of tfrec.training.pipeline.Batches, its number) -> loss, for a model of this shop."""
    from tfrec.models.two_tower import TwoTower
    from tfrec.tensorflow_setup import tf
    from tfrec.training.optimizer import AdamW

    model = TwoTower(config, encoder, shop.size, [0] * shop.size)
    optimizer = AdamW([(list(encoder.trainable_variables), _RATE), (model.head_variables, _RATE)], 0.01, 1.0)

    @tf.function(reduce_retracing=True)
    def step(batch: Any, number: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(batch, training=True)
        optimizer.apply(tape.gradient(loss, optimizer.variables_in_order), tf.constant(1.0), number)
        return loss

    return lambda batch, number: float(step(batch, tf.constant(number, tf.int64)))
