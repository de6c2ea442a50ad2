"""Self-attention over rows that may hold several texts: a token sees only the tokens of its own text."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tfrec.encoder.islands import island
from tfrec.tensorflow_setup import tf

Tensor = Any
_FAR_BELOW = -1e9


@functools.cache
def text_softmax(scale: float, biased: bool = False) -> Callable[..., Tensor]:
    """Softmax of scaled scores over the keys of the query's own text.

    Args:
        scale: factor on the scores, 1 / sqrt(head width).
        biased: whether the function takes a bias, too.

    Returns:
        A differentiable function (scores [R, heads, T, T], text_ids int32 [R, T], perhaps bias float32 [heads, T, T],
        added to the scaled scores) -> [R, heads, T, T] of the scores' dtype. Slots with text id 0 are padding; they
        only see each other.
    """

    @island
    def forward(scores: Tensor, text_ids: Tensor, *bias: Tensor) -> Tensor:
        same = text_ids[:, tf.newaxis, :, tf.newaxis] == text_ids[:, tf.newaxis, tf.newaxis, :]
        scaled = tf.cast(scores, tf.float32) * scale
        s = tf.where(same, scaled + bias[0] if biased else scaled, _FAR_BELOW)
        e = tf.exp(s - tf.reduce_max(s, axis=-1, keepdims=True))
        return tf.cast(e / tf.reduce_sum(e, axis=-1, keepdims=True), scores.dtype)

    @island
    def backward(probabilities: Tensor, dy: Tensor) -> Tensor:
        p, dp = tf.cast(probabilities, tf.float32), tf.cast(dy, tf.float32)
        return tf.cast(scale * p * (dp - tf.reduce_sum(p * dp, axis=-1, keepdims=True)), dy.dtype)

    @island
    def bias_backward(probabilities: Tensor, dy: Tensor) -> Tensor:
        p, dp = tf.cast(probabilities, tf.float32), tf.cast(dy, tf.float32)
        return tf.reduce_sum(p * (dp - tf.reduce_sum(p * dp, axis=-1, keepdims=True)), axis=0)

    @tf.custom_gradient
    def apply(scores: Tensor, text_ids: Tensor, *bias: Tensor) -> Tensor:
        probabilities = forward(scores, text_ids, *bias)

        def gradient(dy: Tensor) -> tuple[Tensor | None, ...]:
            own = (bias_backward(probabilities, dy),) if biased else ()
            return (backward(probabilities, dy), None, *own)

        return probabilities, gradient

    return apply


def attend(qkv: Tensor, text_ids: Tensor, heads: int, bias: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention of several heads (Vaswani et al. 2017).

    Args:
        qkv: [N, 3H], queries, keys and values of N = R x T tokens side by side.
        text_ids: int32 [R, T], the text of each token, 0 for padding.
        heads: number of heads; divides H.
        bias: float32 [heads, T, T], added to the scaled scores; None for none.

    Returns:
        [N, H] of qkv's dtype.
    """
    rows, length = tf.unstack(tf.shape(text_ids))
    hidden = qkv.shape[-1] // 3
    width = hidden // heads
    split = tf.reshape(qkv, [rows, length, 3 * heads, width])
    q, k, v = tf.split(tf.transpose(split, [0, 2, 1, 3]), 3, axis=1)
    added = () if bias is None else (bias,)
    softmax = text_softmax(width**-0.5, bias is not None)
    probabilities = softmax(tf.matmul(q, k, transpose_b=True), text_ids, *added)
    context = tf.transpose(tf.matmul(probabilities, v), [0, 2, 1, 3])
    return tf.reshape(context, [-1, hidden])
