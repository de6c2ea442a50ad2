"""Element-wise parts of a transformer as small XLA programs with hand-written gradients.

Eigen runs every element-wise op as its own pass over memory, and bfloat16 ones slowly. An *island* is a function
compiled by XLA into one fused loop; the matrix products between islands stay with oneDNN, which is faster at them than
XLA's CPU back end. Statistics (mean, variance, sums) are always float32. Every island compiles once per shape.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from tfrec.tensorflow_setup import tf

Tensor = Any
_INVERSE_SQRT_2 = 1.0 / math.sqrt(2.0)
_INVERSE_SQRT_2_PI = 1.0 / math.sqrt(2.0 * math.pi)


def island(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles `function` with XLA as one unit; it survives saving as part of a SavedModel."""
    return tf.function(function, jit_compile=True, autograph=False)


@island
def _bias_gelu_forward(x: Tensor, bias: Tensor) -> Tensor:
    h = tf.cast(x, tf.float32) + bias
    return tf.cast(0.5 * h * (1.0 + tf.math.erf(h * _INVERSE_SQRT_2)), x.dtype)


@island
def _bias_gelu_backward(x: Tensor, bias: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    h = tf.cast(x, tf.float32) + bias
    cdf = 0.5 * (1.0 + tf.math.erf(h * _INVERSE_SQRT_2))
    pdf = _INVERSE_SQRT_2_PI * tf.exp(-0.5 * h * h)
    dx = tf.cast(dy, tf.float32) * (cdf + h * pdf)
    return tf.cast(dx, x.dtype), tf.reduce_sum(dx, axis=0)


@tf.custom_gradient
def bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """Exact GELU of `x + bias` (Hendrycks & Gimpel 2016, with the error function, not the tanh approximation).

    Args:
        x: [N, F] bfloat16 or float32.
        bias: [F] float32.

    Returns:
        [N, F] of x's dtype.
    """

    def gradient(dy: Tensor) -> tuple[Tensor, Tensor]:
        return _bias_gelu_backward(x, bias, dy)

    return _bias_gelu_forward(x, bias), gradient


def _kept(x: Tensor, seed: Tensor, rate: Tensor) -> Tensor:
    """Float32 factors of inverted dropout from a hash of each element's index: no state, recomputed going backward.

    The hash is the 32-bit finaliser "lowbias32" (C. Wellons, "Prospecting for Hash Functions", 2018).
    """
    rows = tf.range(tf.shape(x)[0])[:, tf.newaxis] * tf.shape(x)[1]
    index = tf.cast(rows + tf.range(tf.shape(x)[1])[tf.newaxis, :], tf.uint32)
    shift = tf.bitwise.right_shift
    h = tf.bitwise.bitwise_xor(index, tf.cast(seed, tf.uint32) * tf.constant(0x9E3779B9, tf.uint32))
    h = tf.bitwise.bitwise_xor(h, shift(h, tf.constant(16, tf.uint32))) * tf.constant(0x7FEB352D, tf.uint32)
    h = tf.bitwise.bitwise_xor(h, shift(h, tf.constant(15, tf.uint32))) * tf.constant(0x846CA68B, tf.uint32)
    uniform = tf.cast(tf.cast(shift(h, tf.constant(8, tf.uint32)), tf.int32), tf.float32) * (1.0 / (1 << 24))
    return tf.cast(uniform >= rate, tf.float32) / (1.0 - rate)


def _normalised(h: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """(h - mean) / deviation over the last axis and 1 / deviation, float32."""
    centred = h - tf.reduce_mean(h, axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.reduce_mean(centred * centred, axis=-1, keepdims=True) + epsilon)
    return centred * inverse, inverse


@functools.cache
def residual_layer_norm(epsilon: float, dropout: bool) -> Callable[..., Tensor]:
    """LayerNorm(residual + dropout(x + bias)), the end of both halves of a transformer layer (Ba et al. 2016).

    Args:
        epsilon: added to the variance.
        dropout: whether the returned function drops elements.

    Returns:
        A differentiable function (x [N, H], bias [H] float32, residual [N, H], gamma [H] float32, beta [H] float32,
        seed int32 scalar, rate float32 scalar) -> [N, H] of x's dtype. Seed and rate are ignored without dropout.
    """

    def summed(x: Tensor, bias: Tensor, residual: Tensor, seed: Tensor, rate: Tensor) -> Tensor:
        h = tf.cast(x, tf.float32) + bias
        if dropout:
            h = h * _kept(x, seed, rate)
        return h + tf.cast(residual, tf.float32)

    @island
    def forward(
        x: Tensor, bias: Tensor, residual: Tensor, gamma: Tensor, beta: Tensor, seed: Tensor, rate: Tensor
    ) -> Tensor:
        normal, _ = _normalised(summed(x, bias, residual, seed, rate), epsilon)
        return tf.cast(normal * gamma + beta, x.dtype)

    @island
    def backward(
        x: Tensor, bias: Tensor, residual: Tensor, gamma: Tensor, seed: Tensor, rate: Tensor, dy: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        normal, inverse = _normalised(summed(x, bias, residual, seed, rate), epsilon)
        dy = tf.cast(dy, tf.float32)
        dn = dy * gamma
        mean_dn = tf.reduce_mean(dn, axis=-1, keepdims=True)
        mean_dn_normal = tf.reduce_mean(dn * normal, axis=-1, keepdims=True)
        dh = inverse * (dn - mean_dn - normal * mean_dn_normal)
        dx = dh * _kept(x, seed, rate) if dropout else dh
        return (
            tf.cast(dx, x.dtype),
            tf.reduce_sum(dx, axis=0),
            tf.cast(dh, x.dtype),
            tf.reduce_sum(dy * normal, axis=0),
            tf.reduce_sum(dy, axis=0),
        )

    @tf.custom_gradient
    def apply(
        x: Tensor, bias: Tensor, residual: Tensor, gamma: Tensor, beta: Tensor, seed: Tensor, rate: Tensor
    ) -> Tensor:
        def gradient(dy: Tensor) -> tuple[Tensor, ...]:
            return (*backward(x, bias, residual, gamma, seed, rate, dy), None, None)

        return forward(x, bias, residual, gamma, beta, seed, rate), gradient

    return apply
