"""The items of histories, each once."""

from __future__ import annotations

from typing import Any, NamedTuple

from tfrec.tensorflow_setup import tf

Tensor = Any


class Past(NamedTuple):
    """S pairs of a request and an item of its history, requests in order.

    Attributes:
        items: int32 [S].
        requests: int32 [S].
        later: items of the history after the latest place of this one, float32 [S].
    """

    items: Tensor
    requests: Tensor
    later: Tensor


def past_of(history: Tensor, size: int) -> Past:
    """What histories int32 [B, H] hold, whose -1 are padding on any side, of a catalogue of `size` items.

    An item that occurs several times counts once, at its latest place.
    """
    known = history >= 0
    shape = tf.shape(history, tf.int64)
    requests = tf.broadcast_to(tf.range(shape[0])[:, tf.newaxis], shape)
    later = tf.cumsum(tf.cast(known, tf.float32), axis=1, reverse=True, exclusive=True)
    pairs, place = tf.unique(tf.boolean_mask(requests * size + tf.cast(history, tf.int64), known), tf.int64)
    latest = tf.math.unsorted_segment_min(tf.boolean_mask(later, known), place, tf.size(pairs, tf.int64))
    return Past(tf.cast(pairs % size, tf.int32), tf.cast(pairs // size, tf.int32), latest)
