"""Sequence packing: several short texts share one row of a fixed length, so that almost no slot is padding.

Krell et al. 2021, "Efficient Sequence Packing without Cross-contamination". Row lengths and row counts are rounded up
to few values, because every new shape costs the XLA islands a compilation.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf

Tensor = Any
ROW_LENGTHS = (32, 64, 128, 256, 512)
_STEPS_PER_DOUBLING = 16


@dataclasses.dataclass(frozen=True)
class PackedTexts:
    """Texts laid out in rows.

    Args:
        word_ids: int32 [R, T] word pieces, 0 where empty.
        text_ids: int32 [R, T] number of the text + 1, 0 where empty.
        position_ids: int32 [R, T] position within the text.
        starts: int32 [P] slot (of the R x T, row by row) of each text's first token.
        lengths: int32 [P] tokens of each text.
    """

    word_ids: Tensor
    text_ids: Tensor
    position_ids: Tensor
    starts: Tensor
    lengths: Tensor


def pack(tokens: Tensor) -> PackedTexts:
    """Lays texts out in rows; works eagerly and inside a tf.function (the placing itself runs in NumPy).

    Args:
        tokens: RaggedTensor int32 [P, None], every text of 1 to 512 tokens.

    Returns:
        The packed texts.
    """
    lengths = tf.cast(tokens.row_lengths(), tf.int32)
    starts, shape = tf.numpy_function(_place, [lengths], (tf.int32, tf.int32), stateful=False)
    starts, shape = tf.ensure_shape(starts, [None]), tf.ensure_shape(shape, [2])
    texts = tf.cast(tokens.value_rowids(), tf.int32)
    first = tf.cast(tokens.row_starts(), tf.int32)
    positions = tf.range(tf.shape(texts)[0]) - tf.gather(first, texts)
    slots = tf.gather(starts, texts) + positions

    def laid_out(values: Tensor) -> Tensor:
        return tf.reshape(tf.scatter_nd(slots[:, tf.newaxis], values, [shape[0] * shape[1]]), shape)

    return PackedTexts(laid_out(tokens.flat_values), laid_out(texts + 1), laid_out(positions), starts, lengths)


def _place(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First-fit decreasing: each text's first slot, and the number and length of the rows."""
    longest = int(lengths.max(initial=1))
    row_length = next((length for length in ROW_LENGTHS if length >= longest), longest)
    room: list[list[int]] = [[] for _ in range(row_length + 1)]  # rows by their free slots
    rows = 0
    starts = np.zeros(len(lengths), np.int32)
    for text in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[text])
        free = next((space for space in range(length, row_length + 1) if room[space]), None)  # tightest fit
        if free is None:
            row, free, rows = rows, row_length, rows + 1
        else:
            row = room[free].pop()
        starts[text] = row * row_length + row_length - free
        room[free - length].append(row)
    return starts, np.array([rounded_up(max(rows, 1)), row_length], np.int32)


def rounded_up(rows: int) -> int:
    """The next of 16 evenly spaced values per doubling: at most 1/16 of the rows is empty, and shapes stay few."""
    step = max(1, (1 << (rows.bit_length() - 1)) // _STEPS_PER_DOUBLING)
    return -(-rows // step) * step


def mean_of_texts(sequence: Tensor, packed: PackedTexts) -> Tensor:
    """Mean token vector of each text.

    One product with a [P, R x T] matrix of 0 and 1 / length: its gradient is a product too, never a scatter.

    Args:
        sequence: float32 [R, T, H].
        packed: the layout.

    Returns:
        float32 [P, H].
    """
    texts = tf.shape(packed.lengths)[0]
    own = packed.text_ids[tf.newaxis] == tf.range(1, texts + 1)[:, tf.newaxis, tf.newaxis]
    shares = tf.where(own, 1.0 / tf.cast(packed.lengths, tf.float32)[:, tf.newaxis, tf.newaxis], 0.0)
    flat = tf.reshape(sequence, [-1, sequence.shape[-1]])
    return tf.matmul(tf.reshape(shares, [texts, -1]), flat)
