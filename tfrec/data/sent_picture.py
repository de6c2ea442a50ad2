"""Pictures that come in requests: refused before they cost anything, or decoded, in stock TensorFlow ops.

A request is a stranger's: a few bytes can claim gigabytes of pixels, or have one picture decoded thousands of times
over (a progressive JPEG of many scans). Every check reads bytes or headers only, and stands before the decoder.
"""

from __future__ import annotations

from typing import Any

from tfrec.data.shrunk_picture import decoded_jpeg, shrunk
from tfrec.tensorflow_setup import tf

Tensor = Any
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_MOST_SCANS = 200  # of a progressive JPEG; encoders write about ten


def read_sent(images: Tensor, size: int, most_bytes: int, most_pixels: int) -> Tensor:
    """Files that somebody sent as pictures for a model, one after the other.

    Args:
        images: JPEG or PNG files, string [B].
        size: side of the pictures in pixels; other shapes are filled up with white.
        most_bytes, most_pixels: that each file may have.

    Returns:
        uint8 [B, size, size, 3]. As an op fails, the request is an InvalidArgument error: a file is larger, is neither
        JPEG nor PNG, is cut off or broken.
    """

    def picture(raw: Tensor) -> Tensor:
        is_jpeg = tf.equal(tf.strings.substr(raw, 0, len(_JPEG)), _JPEG)
        is_png = tf.equal(tf.strings.substr(raw, 0, len(_PNG)), _PNG)
        raw = _checked(raw, is_jpeg | is_png, "an image is neither a JPEG nor a PNG file")
        found = tf.cond(is_jpeg, lambda: _jpeg(raw, size, most_pixels), lambda: _png(raw, size, most_pixels))
        return tf.ensure_shape(found, [size, size, 3])

    small = tf.reduce_all(tf.strings.length(images) <= most_bytes)
    images = _checked(images, small, f"an image has more than {most_bytes:,} bytes: send a smaller one")
    kind = tf.TensorSpec([size, size, 3], tf.uint8)
    # One at a time: each may need the memory of its pixels.
    return tf.map_fn(picture, images, fn_output_signature=kind, parallel_iterations=1)


def _jpeg(raw: Tensor, size: int, most_pixels: int) -> Tensor:
    raw = _checked(raw, _marks(raw, 0xD9) > 0, "an image is a JPEG file that is cut off")
    raw = _checked(raw, _marks(raw, 0xDA) <= _MOST_SCANS, f"an image is a JPEG file of more than {_MOST_SCANS} scans")
    raw = _few_pixels(raw, tf.io.extract_jpeg_shape(raw)[:2], most_pixels)
    return shrunk(decoded_jpeg(raw, size), size)


def _marks(raw: Tensor, mark: int) -> Tensor:
    """How often a JPEG's marker stands in its bytes: compressed data never hold one by chance."""
    values = tf.io.decode_raw(raw, tf.uint8)
    return tf.math.count_nonzero((values[:-1] == 0xFF) & (values[1:] == mark), dtype=tf.int32)


def _png(raw: Tensor, size: int, most_pixels: int) -> Tensor:
    # The first chunk holds width and height; the last is IEND. "\C" is a byte, whatever it is.
    raw = _checked(
        raw, tf.strings.regex_full_match(raw, r"\C{45,}IEND\C{4,}"), "an image is a PNG file that is cut off"
    )
    header = tf.strings.substr(raw, len(_PNG), 8)
    raw = _few_pixels(raw, tf.io.decode_raw(header, tf.int32, little_endian=False), most_pixels)
    return shrunk(tf.io.decode_png(raw, channels=4), size)


def _few_pixels(raw: Tensor, sides: Tensor, most_pixels: int) -> Tensor:
    pixels = tf.reduce_prod(tf.cast(sides, tf.int64))
    few = tf.reduce_all(sides > 0) & (pixels <= most_pixels)
    return _checked(raw, few, f"an image has more than {most_pixels:,} pixels: send a smaller one")


def _checked(value: Tensor, holds: Tensor, complaint: str) -> Tensor:
    """The same value, for ops that must not run where the check fails."""
    with tf.control_dependencies([tf.debugging.Assert(holds, [complaint])]):
        return tf.identity(value)
