"""Training of a cross-encoder within a budget of time or steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tfrec.config.ranking import CrossEncoderConfig
from tfrec.progress import Progress
from tfrec.ranking.cross.lists import Lists
from tfrec.ranking.cross.model import CrossEncoder
from tfrec.ranking.cross.pairs import joined
from tfrec.tensorflow_setup import tf
from tfrec.training.optimizer import AdamW
from tfrec.training.schedule import Schedule

Tensor = Any
_WARMUP, _CLIP = 0.1, 1.0  # share of the budget in which the rate rises; largest norm of all gradients together
_NO_END = 10**9  # steps


def train_cross(
    section: CrossEncoderConfig, cross: CrossEncoder, queries: Sequence[str], batches: Iterator[Lists]
) -> int:
    """Fits a cross-encoder by the softmax over each query's items; gives the number of steps.

    The rate follows the share of the budget that is spent.

    Args:
        section: rate and budget.
        cross: changed in place.
        queries: Q texts.
        batches: of these queries.
    """
    schedule = Schedule(section.max_steps or _NO_END, section.max_minutes, _WARMUP)
    step, number = _step(cross, AdamW([(cross.trainable_variables, section.learning_rate)], 0.0, _CLIP)), 0
    with Progress("Training the cross-encoder", 1.0) as progress:
        while (share := schedule.progress(number)) < 1.0 and (batch := next(batches, None)) is not None:
            typed = cross.query_pieces(tf.constant([queries[n] for n in batch.queries.tolist()], tf.string))
            word_ids, lengths = joined(typed, tf.constant(cross.items[batch.items]))
            factor = tf.constant(schedule.factor(share), tf.float32)
            loss = step(word_ids, lengths, tf.constant(batch.target), factor)
            progress.advance(share - progress.done, f"loss {float(loss):.3f}")
            number += 1
    return number


def _step(cross: CrossEncoder, optimizer: AdamW) -> Any:
    ids, one = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
    signature = [ids, one, tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([], tf.float32)]

    @tf.function(input_signature=signature, autograph=False)
    def step(word_ids: Tensor, lengths: Tensor, target: Tensor, factor: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            scores = tf.reshape(cross.scores(word_ids, lengths, training=True), tf.shape(target))
            loss = -tf.reduce_mean(tf.reduce_sum(target * tf.nn.log_softmax(scores, axis=1), axis=1))
        gradients = tape.gradient(loss, cross.trainable_variables)
        optimizer.apply(gradients, factor, tf.constant(0, tf.int64))
        return loss

    return step
