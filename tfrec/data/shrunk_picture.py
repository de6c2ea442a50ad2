"""A picture as models read it: on white, shrunk to a square, in ops that run at once or in a graph alike."""

from __future__ import annotations

from typing import Any

Tensor = Any
_RATIOS = (1, 2, 4, 8)  # that libjpeg can shrink by while it decodes
_FIRST = 4  # sides that a large picture is shrunk to before anything is computed with its pixels
WHITE = 255.0


def decoded_jpeg(raw: Tensor, size: int) -> Tensor:
    """Decodes a JPEG, a large one at 1/2, 1/4 or 1/8, which costs less and loses nothing wanted.

    Args:
        raw: its bytes, string scalar.
        size: side in pixels that it will be shrunk to.

    Returns:
        uint8 [H, W, 3], the longer side at least twice `size` where the picture's is.
    """
    from tfrec.tensorflow_setup import tf

    longest = tf.reduce_max(tf.io.extract_jpeg_shape(raw)[:2])
    worth = [longest >= 2 * size * ratio for ratio in _RATIOS[1:]]
    branches = [lambda ratio=ratio: tf.io.decode_jpeg(raw, channels=3, ratio=ratio) for ratio in _RATIOS]
    return tf.switch_case(tf.reduce_sum(tf.cast(worth, tf.int32)), branches)


def shrunk(pixels: Tensor, size: int) -> Tensor:
    """Puts a picture on white, shrinks (or widens) it to fit, centres it.

    Args:
        pixels: uint8 [H, W, C], C = 1 (grey), 2 (grey, opaqueness), 3 (RGB) or 4 (RGB, opaqueness).
        size: side of the result in pixels.

    Returns:
        uint8 [size, size, 3].
    """
    from tfrec.tensorflow_setup import tf

    channels = pixels.shape[-1]
    # Numbers of 4 bytes are made of a few pixels only: a small file can hold very many.
    first = tf.minimum(tf.reduce_max(tf.shape(pixels)[:2]), _FIRST * size)
    pixels = _resized(pixels, first)
    if channels in (2, 4):  # what is transparent would else show what happens to lie below, often black
        opaque = pixels[..., -1:] / WHITE
        pixels = pixels[..., :-1] * opaque + WHITE * (1.0 - opaque)
    if channels < 3:
        pixels = tf.image.grayscale_to_rgb(pixels)
    small = _resized(pixels, size)
    height, width = tf.unstack(tf.shape(small)[:2])
    top, left = (size - height) // 2, (size - width) // 2
    filled = tf.pad(small, [[top, size - height - top], [left, size - width - left], [0, 0]], constant_values=WHITE)
    return tf.ensure_shape(tf.saturate_cast(tf.round(filled), tf.uint8), [size, size, 3])


def _resized(pixels: Tensor, longest: Tensor) -> Tensor:
    """float32 [h, w, C] of the same proportions, by the mean over areas."""
    from tfrec.tensorflow_setup import tf

    sides = tf.cast(tf.shape(pixels)[:2], tf.float64)
    scale = tf.cast(longest, tf.float64) / tf.reduce_max(sides)
    sides = tf.maximum(1, tf.cast(tf.round(sides * scale), tf.int32))
    return tf.image.resize(pixels, sides, "area")
