"""Losses at text vectors that are moved, by a little, where the model is weakest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tfrec.models.consistency import one_way_divergence
from tfrec.models.vectors import unit
from tfrec.tensorflow_setup import tf

_FIRST_TRY = 0.1  # of the radius: where VAT looks for the direction


def fgm_loss(loss: Callable[[list[Any]], Any], texts: Sequence[Any], radius: float) -> Any:
    """The loss at vectors moved along its gradient (fast gradient method: Miyato et al. 2017, arXiv 1605.07725).

    Only the towers are run again, not the encoder, so that it costs little.

    Args:
        loss: text vectors -> float32 scalar.
        texts: text vectors, float32 [*, hidden] each.
        radius: length of the move as a share of each vector's length.

    Returns:
        float32 scalar; its gradient takes the move as given.
    """
    still = [tf.stop_gradient(text) for text in texts]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(still)
        value = loss(still)
    return loss(_moved(texts, tape.gradient(value, still), radius))


def vat_loss(answers: Callable[[list[Any]], Any], texts: Sequence[Any], radius: float, weight: Any, seed: Any) -> Any:
    """How far the answers change at most within the radius (virtual adversarial training: Miyato et al. 2018).

    The direction comes from one step of power iteration (arXiv 1704.03976, section 3.3); labels are not looked at.

    Args:
        answers: text vectors -> log-probabilities float32 [B, C].
        texts: text vectors, float32 [*, hidden] each.
        radius: length of the move as a share of each vector's length.
        weight: float32 [B], of the rows.
        seed: int64 [2], of the first direction.

    Returns:
        float32 scalar in nats; its gradient takes the answers at the unmoved vectors and the move as given.
    """
    truth = tf.stop_gradient(answers(list(texts)))
    still = [tf.stop_gradient(text) for text in texts]
    starts = [tf.random.stateless_normal(tf.shape(text), seed + [0, place]) for place, text in enumerate(still)]
    near = _moved(still, starts, _FIRST_TRY * radius)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(near)
        change = one_way_divergence(truth, answers(near), weight)
    return one_way_divergence(truth, answers(_moved(texts, tape.gradient(change, near), radius)), weight)


def _moved(texts: Sequence[Any], directions: Sequence[Any], radius: float) -> list[Any]:
    moved = []
    for text, direction in zip(texts, directions, strict=True):
        # Gradients of a mean over many rows are tiny: scale before squaring. No direction means no move.
        largest = tf.reduce_max(tf.abs(direction), axis=-1, keepdims=True)
        move = unit(tf.math.divide_no_nan(direction, largest)) * tf.norm(text, axis=-1, keepdims=True) * radius
        moved.append(text + tf.stop_gradient(move))
    return moved
