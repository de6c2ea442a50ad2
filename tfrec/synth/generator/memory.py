"""What the decoder reads: the frozen encoder's token vectors of item texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.encoder.text_encoder import TextEncoder
from tfrec.progress import Progress
from tfrec.synth.generator.pieces import OTHER, WordPieces
from tfrec.tensorflow_setup import tf

_LENGTHS = (16, 32, 64, 128, 256, 512)  # few shapes: each costs the encoder's islands a compilation
_TOKENS_PER_BATCH = 2048


@dataclass(frozen=True)
class Memory:
    """Token vectors of n texts in one array.

    Attributes:
        pieces: int32 [n, S], numbers of WordPieces, OTHER where a text has ended.
        lengths: int32 [n].
        starts: int64 [n], each text's first row in `vectors`.
        vectors: float16 [sum of lengths, H].
    """

    pieces: np.ndarray
    lengths: np.ndarray
    starts: np.ndarray
    vectors: np.ndarray

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Texts by row, padded to the longest of them.

        Returns:
            vectors float32 [B, S, H], 0 where a text has ended, and pieces int32 [B, S].
        """
        lengths = self.lengths[rows]
        inside = np.arange(lengths.max()) < lengths[:, None]
        places = (self.starts[rows, None] + np.arange(inside.shape[1]))[inside]
        vectors = np.zeros([*inside.shape, self.vectors.shape[1]], np.float32)
        vectors[inside] = self.vectors[places]
        return vectors, self.pieces[rows, : inside.shape[1]]


def read_texts(
    encoder: TextEncoder, pieces: WordPieces, texts: Sequence[str], max_tokens: int, description: str = ""
) -> Memory:
    """Reads texts with the encoder as it is, without dropout.

    Args:
        encoder: an encoder whose layer gives TF-Hub's sequence_output; its weights do not change.
        pieces: of the texts.
        texts: n texts.
        max_tokens: read of each text, marks included.
        description: shown with the progress; empty shows none.

    Returns:
        their token vectors.
    """
    tokens = encoder.tokenize(tf.constant(list(texts), tf.string), max_tokens)
    lengths = tokens.row_lengths().numpy().astype(np.int32)
    ids = tokens.to_tensor().numpy()
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    vectors = np.zeros([int(lengths.sum()), encoder.hidden_size], np.float16)
    with Progress(description, len(texts)) as progress:
        order = np.argsort(lengths, kind="stable")
        first = 0
        while first < len(order):
            # longest of a batch decides its shape; rows are filled up, so that a shape's batches are all of one size
            length = _bucket(int(lengths[order[first]]))
            most = max(1, _TOKENS_PER_BATCH // length)
            rows = order[first : first + most]
            rows = rows[lengths[rows] <= length]
            found = _sequence_output(encoder, ids, lengths, rows, length, most)
            for place, row in enumerate(rows):
                vectors[starts[row] : starts[row] + lengths[row]] = found[place, : lengths[row]]
            first += len(rows)
            progress.advance(len(rows))
    inside = np.arange(ids.shape[1]) < lengths[:, None]
    return Memory(np.where(inside, pieces.numbers(ids), OTHER).astype(np.int32), lengths, starts, vectors)


def _bucket(length: int) -> int:
    return next((known for known in _LENGTHS if known >= length), length)


def _sequence_output(
    encoder: Any, ids: np.ndarray, lengths: np.ndarray, rows: np.ndarray, length: int, most: int
) -> np.ndarray:
    word_ids = np.zeros([most, length], np.int32)
    width = min(length, ids.shape[1])
    word_ids[: len(rows), :width] = ids[rows, :width]
    mask = np.zeros([most, length], np.int32)
    mask[: len(rows)] = np.arange(length) < lengths[rows, None]
    mask[len(rows) :, 0] = 1  # a row without any token would divide by nothing
    inputs = {"input_word_ids": word_ids * mask, "input_mask": mask, "input_type_ids": np.zeros_like(mask)}
    given = {name: tf.constant(value) for name, value in inputs.items()}
    return encoder.layer(given, training=False)["sequence_output"].numpy()
