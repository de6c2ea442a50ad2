"""Query and item as one text of word pieces: start, query, end, item, end."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.encoder.text_encoder import TextEncoder
from tfrec.tensorflow_setup import tf

Tensor = Any


def item_pieces(encoder: TextEncoder, texts: list[str], most: int) -> np.ndarray:
    """What of each item stands behind a query: int32 [N, most], its pieces and the end mark, -1 behind them.

    Args:
        encoder: whose pieces are meant.
        texts: of the items.
        most: pieces that are read, the end mark included.
    """
    table = np.full([len(texts), most], -1, np.int32)
    for first in range(0, len(texts), 4096):
        tokens = encoder.tokenize(tf.constant(texts[first : first + 4096], tf.string), most + 1)
        padded = tokens.to_tensor(-1)[:, 1:].numpy()  # without the start mark
        table[first : first + len(padded), : padded.shape[1]] = padded
    return table


def joined(queries: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """The pieces of B queries with K items each, without a gap between them.

    Args:
        queries: int32 [B, Q], pieces with marks, -1 behind them.
        items: int32 [B, K, T], see `item_pieces`.

    Returns:
        (word ids int32 [B * K, Q + T], 0 behind the last one; lengths int32 [B * K]).
    """
    batch, count, width = tf.unstack(tf.shape(items))
    own = tf.reduce_sum(tf.cast(queries >= 0, tf.int32), axis=1)[:, tf.newaxis, tf.newaxis]  # [B, 1, 1]
    longest = tf.shape(queries)[1]
    place = tf.range(longest + width)[tf.newaxis, tf.newaxis]
    both = tf.concat([tf.tile(queries[:, tf.newaxis], [1, count, 1]), items], axis=2)
    there = tf.where(place < own, place, tf.minimum(place - own + longest, longest + width - 1))
    found = tf.gather(both, tf.broadcast_to(there, [batch, count, longest + width]), batch_dims=2)
    lengths = own[:, :, 0] + tf.reduce_sum(tf.cast(items >= 0, tf.int32), axis=2)
    inside = place < lengths[:, :, tf.newaxis]
    word_ids = tf.reshape(tf.where(inside, found, 0), [batch * count, longest + width])
    return word_ids, tf.reshape(lengths, [-1])
