"""A static encoder behind the face of TextEncoder: the mean of its pieces' vectors, with no transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.encoder.bulk import encode_sorted
from tfrec.encoder.freezing import split_trainable
from tfrec.encoder.inference import compute_type
from tfrec.encoder.preprocessor import tokens_with_marks
from tfrec.encoder.prompts import Prompts, chosen_prompts
from tfrec.encoder.static_file import copy_with_table, read_table
from tfrec.encoder.store import InstalledEncoder
from tfrec.encoder.text_encoder import Role, TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.config.modelling import EncoderConfig

Tensor = Any


class StaticEncoder(TextEncoder):
    """One vector per piece and their mean (Model2Vec, Tulkens and van Dongen 2024): a lookup in place of a transformer.

    `encoder.freeze: none` trains the table; `embeddings`, the default, leaves it and trains what comes behind it.

    Args:
        source: the installed encoder.
        config: freezing and prompts.

    Raises:
        EncoderError: the configuration asks for what only a transformer has.
    """

    precision = "f32"

    def __init__(self, source: InstalledEncoder, config: EncoderConfig) -> None:
        super().__init__(name="text_encoder")
        import tensorflow_hub
        import tensorflow_text  # noqa: F401  registers the ops of the preprocessor

        if config.lora.active or config.pooling not in ("auto", "mean"):
            asked = "encoder.lora" if config.lora.active else f"encoder.pooling={config.pooling}"
            raise EncoderError(f"{source.name} is a static encoder, which has no transformer: take out {asked}.")
        self.preprocessor = tensorflow_hub.load(str(source.preprocessor))
        self._source = source
        self._table = tf.Variable(read_table(source), name="embeddings/word")
        self._ignored = tf.constant(source.facts["ignored"], tf.int32)
        self.hidden_size, self.fingerprint = int(self._table.shape[1]), source.fingerprint
        trainable, _ = split_trainable([self._table], config.freeze)
        self._trainable = tuple(trainable)
        self._prompts = Prompts(*chosen_prompts(config, source.facts), self._tokens)
        like = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
        self._encode_batch = tf.function(
            lambda word_ids, lengths: self._vectors(self._table, word_ids, lengths), like, autograph=False
        )

    @property
    def variables(self) -> list[Any]:  # type: ignore[override]
        return [self._table]

    @property
    def trainable_variables(self) -> list[Any]:  # type: ignore[override]
        return list(self._trainable)

    @property
    def saved_variables(self) -> list[Any]:
        """A table that stays is the installed encoder's, whose fingerprint a training's name holds."""
        return self.trainable_variables

    def tokenize(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        return self._tokens(*self._prompts.before(texts, max_tokens, role))

    def _tokens(self, texts: Tensor, max_tokens: int) -> Tensor:
        facts = self._source.facts
        most = min(max_tokens, facts["max_tokens"])
        return tokens_with_marks(self.preprocessor.tokenize(texts), most, facts["start_id"], facts["end_id"])

    def _vectors(self, table: Tensor, word_ids: Tensor, lengths: Tensor) -> Tensor:
        """Mean vectors float32 [B, size] of padded tokens int32 [B, T]; zero where no piece counts."""
        counts = tf.sequence_mask(lengths, tf.shape(word_ids)[1])
        counts &= tf.reduce_all(word_ids[..., tf.newaxis] != self._ignored, axis=-1)
        shares = tf.cast(counts, tf.float32)
        shares /= tf.maximum(tf.reduce_sum(shares, axis=1, keepdims=True), 1.0)
        found = tf.cast(tf.gather(table, word_ids), tf.float32)
        return tf.ensure_shape(tf.squeeze(tf.matmul(shares[:, tf.newaxis], found), axis=1), [None, self.hidden_size])

    def pooled(self, groups: Sequence[Tensor], training: bool) -> list[Tensor]:
        return [self._vectors(self._table, g.to_tensor(), tf.cast(g.row_lengths(), tf.int32)) for g in groups]

    def encode(self, texts: Sequence[str], max_tokens: int, description: str = "", role: Role = "") -> np.ndarray:
        return encode_sorted(
            texts, lambda some: self.tokenize(some, max_tokens, role), self._encode_batch, self.hidden_size, description
        )

    def inference_function(self, precision: str) -> Callable[..., Tensor]:
        return _FrozenTable(self, precision)

    def save(self, folder: Path) -> None:
        copy_with_table(self._source, folder, self._table.numpy())


class _FrozenTable(tf.Module):  # type: ignore[misc]
    """Callable (texts string [B], max_tokens, role) -> float32 [B, size] for exports; a copy of the table inside."""

    def __init__(self, encoder: StaticEncoder, precision: str) -> None:
        super().__init__(name="frozen_encoder")
        self._preprocessor = encoder.preprocessor  # tracked, so that its files go along
        table = tf.cast(encoder._table, compute_type(precision))
        self._table = tf.Variable(table, trainable=False, name="word_embeddings")
        self._tokenize, self._vectors = encoder.tokenize, encoder._vectors

    def __call__(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        tokens = self._tokenize(texts, max_tokens, role)
        return self._vectors(self._table, tokens.to_tensor(), tf.cast(tokens.row_lengths(), tf.int32))
