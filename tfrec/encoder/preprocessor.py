"""The preprocessor half of an installed encoder: strings to pieces, as a TF-Hub preprocessor SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.pieces import Pieces
from tfrec.encoder.saving import traced_for_saving
from tfrec.tensorflow_setup import tf

Tensor = Any
DEFAULT_LENGTH = 128  # as TF-Hub's BERT preprocessors


class Tokenize(tf.__internal__.tracking.AutoTrackable):  # type: ignore[misc]
    """Callable: string[B] -> RaggedTensor int32 [B, None] of pieces without special tokens.

    Args:
        tokenizer: a tokenizer of tensorflow_text: string [B] -> RaggedTensor [B, None].
        special: ids by TF-Hub's names, and vocab_size; see `SpecialIds.as_dict`.
    """

    def __init__(self, tokenizer: Any, special: Mapping[str, int]) -> None:
        super().__init__()
        self._special, self._tokenizer = dict(special), tokenizer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def __call__(self, texts: Tensor) -> Tensor:
        # Invalid UTF-8 would fail the whole batch; every bad sequence becomes U+FFFD instead.
        valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        return tf.cast(self._tokenizer.tokenize(valid), tf.int32)

    @tf.function(input_signature=[], autograph=False)
    def get_special_tokens_dict(self) -> dict[str, Tensor]:
        """TF-Hub's method: ids of the special tokens and the vocabulary's size, int32 scalars."""
        return {name: tf.constant(value, tf.int32) for name, value in self._special.items()}


class Preprocessor(tf.__internal__.tracking.AutoTrackable):  # type: ignore[misc]
    """Callable: string[B] -> {input_word_ids, input_mask, input_type_ids} int32 [B, 128].

    `tokenize` and `bert_pack_inputs` are the two halves, for other lengths and for pairs of segments.

    Args:
        pieces: the vocabulary and how texts are cut into it.
    """

    def __init__(self, pieces: Pieces) -> None:
        super().__init__()
        special = pieces.special
        self.tokenize = Tokenize(pieces.tokenizer(), special.as_dict(len(pieces)))
        self._start, self._end, self._padding = special.start, special.end, special.padding
        packed = tf.function(self._packed, autograph=False)
        # All that packs calls one graph for each number of segments: it is large, and every shop loads it. Behind a
        # plain function, since a tf.function that an object holds is saved as a part of its face.
        self._pack = lambda segments, length: packed(segments, tf.convert_to_tensor(length, tf.int32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def __call__(self, texts: Tensor) -> dict[str, Tensor]:
        return self._pack([self.tokenize(texts)], DEFAULT_LENGTH)

    @tf.function(autograph=False)
    def bert_pack_inputs(self, inputs: list[Tensor], seq_length: Tensor = DEFAULT_LENGTH) -> dict[str, Tensor]:
        """Joins one or two segments as [CLS] a [SEP] b [SEP], trimmed in turn and padded.

        Args:
            inputs: one or two RaggedTensor int32 [B, None].
            seq_length: int32 scalar.

        Returns:
            {input_word_ids, input_mask, input_type_ids} int32 [B, seq_length].
        """
        return self._pack(inputs, seq_length)

    def _packed(self, segments: list[Tensor], seq_length: Tensor) -> dict[str, Tensor]:
        import tensorflow_text

        budget = seq_length - 1 - len(segments)
        trimmed = tensorflow_text.RoundRobinTrimmer(budget).trim(segments)
        ids, types = tensorflow_text.combine_segments(trimmed, self._start, self._end)
        word_ids, mask = tensorflow_text.pad_model_inputs(ids, seq_length, self._padding)
        type_ids, _ = tensorflow_text.pad_model_inputs(types, seq_length)
        return {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": type_ids}

    def save(self, folder: Path) -> None:
        """Writes the preprocessor as a SavedModel into an empty or new folder."""
        ragged = tf.RaggedTensorSpec([None, None], tf.int32, ragged_rank=1)
        length = tf.TensorSpec([], tf.int32, "seq_length")
        with traced_for_saving():
            for segments in (1, 2):
                self.bert_pack_inputs.get_concrete_function([ragged] * segments, length)
                self.bert_pack_inputs.get_concrete_function([ragged] * segments)
        tf.saved_model.save(self, str(folder))


def tokens_with_marks(pieces: Tensor, max_tokens: int, start: int, end: int) -> Tensor:
    """[CLS] pieces [SEP], cut to `max_tokens`.

    Args:
        pieces: RaggedTensor int32 [B, None].
        max_tokens: greatest length of a result; at least 2.
        start: id of [CLS].
        end: id of [SEP].

    Returns:
        RaggedTensor int32 [B, None] with int64 row splits.
    """
    # By hand: joining ragged tensors takes TensorFlow two hundred ops, and this is in every graph that reads texts.
    pieces = pieces.with_row_splits_dtype(tf.int64)
    starts, kept = pieces.row_starts(), tf.minimum(pieces.row_lengths(), max_tokens - 2)
    rows = tf.raw_ops.RaggedRange(starts=starts, limits=starts + kept + 2, deltas=tf.ones([], tf.int64))
    splits = rows.rt_nested_splits
    first, last = splits[:-1], splits[1:] - 1
    marks = tf.concat([tf.fill(tf.shape(first), np.int32(start)), tf.fill(tf.shape(last), np.int32(end))], axis=0)
    padded = tf.pad(pieces.flat_values, [[1, 1]])  # a row's piece k stands at k + 1, its marks before and after them
    tokens = tf.gather(padded, rows.rt_dense_values)
    tokens = tf.tensor_scatter_nd_update(tokens, tf.concat([first, last], axis=0)[:, tf.newaxis], marks)
    return tf.RaggedTensor.from_row_splits(tokens, splits, validate=False)
