"""Training of a cross-encoder within a budget of time or steps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from tfrec.config.ranking import CrossEncoderConfig
from tfrec.progress import Progress
from tfrec.ranking.cross.lists import Lists
from tfrec.ranking.cross.model import CrossEncoder
from tfrec.ranking.cross.pairs import joined
from tfrec.tensorflow_setup import keras, tf

Tensor = Any
_WARM = 0.1  # share of the budget in which the rate rises


def train_cross(
    section: CrossEncoderConfig, cross: CrossEncoder, queries: Sequence[str], batches: Iterator[Lists]
) -> int:
    """Fits a cross-encoder by the softmax over each query's items; gives the number of steps.

    The rate rises and falls with the share of the budget that is spent.

    Args:
        section: rate and budget.
        cross: changed in place.
        queries: Q texts.
        batches: of these queries.
    """
    rate = tf.Variable(0.0, trainable=False)
    optimizer = keras.optimizers.legacy.Adam(rate)
    step = _step(cross, optimizer)
    seconds = None if section.max_minutes is None else 60.0 * section.max_minutes
    whole = float(section.max_steps or np.inf)
    started = time.monotonic()
    with Progress("Training the cross-encoder", 1.0) as progress:
        spent = 0.0
        for number in count():
            elapsed = time.monotonic() - started
            share = max(number / whole, elapsed / seconds if seconds else 0.0)
            if share >= 1.0:
                return number
            rate.assign(section.learning_rate * min(share / _WARM + 1e-3, (1.0 - share) / (1.0 - _WARM)))
            batch = next(batches, None)
            if batch is None:
                return number
            typed = cross.query_pieces(tf.constant([queries[n] for n in batch.queries.tolist()], tf.string))
            word_ids, lengths = joined(typed, tf.constant(cross.items[batch.items]))
            loss = step(word_ids, lengths, tf.constant(batch.target))
            progress.advance(share - spent, f"loss {float(loss):.3f}")
            spent = share
    raise AssertionError("unreachable")


def _step(cross: CrossEncoder, optimizer: Any) -> Any:
    variables = cross.trainable_variables
    ids, one = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)

    @tf.function(input_signature=[ids, one, tf.TensorSpec([None, None], tf.float32)], autograph=False)
    def step(word_ids: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            scores = tf.reshape(cross.scores(word_ids, lengths, training=True), tf.shape(target))
            loss = -tf.reduce_mean(tf.reduce_sum(target * tf.nn.log_softmax(scores, axis=1), axis=1))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return step
