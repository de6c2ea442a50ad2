"""Any TF-Hub transformer encoder with its preprocessor behind the face of TextEncoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.encoder.bulk import encode_sorted
from tfrec.encoder.freezing import split_trainable
from tfrec.encoder.hub_loading import handle_fingerprint, load_layer, load_preprocessor
from tfrec.encoder.prompts import Prompts
from tfrec.encoder.text_encoder import Role, TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.config.modelling import EncoderConfig

Tensor = Any


class HubEncoder(TextEncoder):
    """A TF-Hub encoder by handle, called with inputs padded to the longest text of a group.

    Precision and dropout are those it was saved with.

    Args:
        config: `name` and `preprocessor` are handles: URL, Kaggle handle or folder.
    """

    precision = "f32"
    repeats_dropout = False

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(name="text_encoder")
        if not config.preprocessor:
            raise EncoderError(
                f"encoder.name {config.name!r} is no installed encoder; as a TF-Hub handle it needs "
                "encoder.preprocessor, the handle of its preprocessor, beside it."
            )
        if config.lora.active:
            raise EncoderError(
                f"encoder.lora needs an installed encoder, but {config.name!r} is a TF-Hub handle: set "
                "encoder.lora.rank=0, or install the encoder's checkpoint with `tfrec encoder install FOLDER`."
            )
        self.layer = load_layer(config.name)
        self.preprocessor = load_preprocessor(config.preprocessor)
        self._pooling, self._config = config.pooling.replace("auto", "mean"), config
        self._prompts = Prompts(config.query_prompt or "", config.item_prompt or "", self._tokens)
        text = f"{handle_fingerprint(config.name)} {handle_fingerprint(config.preprocessor)}"
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()
        trainable, frozen = split_trainable(list(self.layer.trainable_variables), config.freeze)
        frozen += self.layer.non_trainable_variables
        # Keras asks the layer which weights train. In place: assigning an attribute would track the lists anew.
        self.layer._trainable_weights[:], self.layer._non_trainable_weights[:] = trainable, frozen
        self._variables, self._trainable = tuple(trainable + frozen), tuple(trainable)
        self._encode_batch = tf.function(self.vectors, reduce_retracing=True, autograph=False)
        try:
            self.hidden_size = int(self.pooled([self.tokenize(tf.constant(["a"]), 4)], training=False)[0].shape[-1])
        except (ValueError, TypeError, KeyError) as error:
            reason = str(error).strip().splitlines()[0]
            raise EncoderError(f"{config.name} does not work as a TF-Hub transformer encoder ({reason}).") from error

    @property
    def variables(self) -> list[Any]:  # type: ignore[override]
        return list(self._variables)

    @property
    def trainable_variables(self) -> list[Any]:  # type: ignore[override]
        return list(self._trainable)

    def tokenize(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        return self._tokens(*self._prompts.before(texts, max_tokens, role))

    def _tokens(self, texts: Tensor, max_tokens: int) -> Tensor:
        if hasattr(self.preprocessor, "tokenize") and hasattr(self.preprocessor, "bert_pack_inputs"):
            pieces = self.preprocessor.tokenize(texts)
            packed = self.preprocessor.bert_pack_inputs([pieces], tf.constant(max_tokens, tf.int32))
        else:
            packed = self.preprocessor(texts)
        word_ids = tf.cast(packed["input_word_ids"], tf.int32)
        lengths = tf.reduce_sum(tf.cast(packed["input_mask"], tf.int64), axis=1)
        ragged = tf.RaggedTensor.from_tensor(word_ids, lengths)
        # A preprocessor of fixed length may give more than wanted: the end mark moves to the last place kept.
        last = tf.gather(word_ids, tf.cast(lengths - 1, tf.int32)[:, tf.newaxis], axis=1, batch_dims=1)
        return tf.concat([ragged[:, :-1][:, : max_tokens - 1], last], axis=1)

    def vectors(self, word_ids: Tensor, lengths: Tensor, training: bool = False) -> Tensor:
        """Text vectors of padded tokens.

        Args:
            word_ids: int32 [B, T].
            lengths: int32 [B].
            training: whether the encoder's own dropout is on.

        Returns:
            float32 [B, hidden_size].
        """
        mask = tf.sequence_mask(lengths, tf.shape(word_ids)[1], tf.int32)
        inputs = {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": tf.zeros_like(word_ids)}
        outputs = self.layer(inputs, training=training)
        if self._pooling == "pooled":
            return tf.cast(outputs["pooled_output" if "pooled_output" in outputs else "default"], tf.float32)
        sequence = tf.cast(outputs["sequence_output"], tf.float32)
        if self._pooling == "cls":
            return sequence[:, 0]
        shares = tf.cast(mask, tf.float32) / tf.cast(lengths, tf.float32)[:, tf.newaxis]
        return tf.squeeze(tf.matmul(shares[:, tf.newaxis], sequence), axis=1)

    def pooled(self, groups: Sequence[Tensor], training: bool) -> list[Tensor]:
        # Group by group: these encoders cannot pack, and queries would be padded to the length of items.
        return [self.vectors(g.to_tensor(), tf.cast(g.row_lengths(), tf.int32), training) for g in groups]

    def encode(self, texts: Sequence[str], max_tokens: int, description: str = "", role: Role = "") -> np.ndarray:
        return encode_sorted(
            texts, lambda some: self.tokenize(some, max_tokens, role), self._encode_batch, self.hidden_size, description
        )

    def inference_function(self, precision: str) -> Callable[..., Tensor]:
        from tfrec.encoder.hub_frozen import FrozenHubEncoder

        return FrozenHubEncoder(self, precision)

    def save(self, folder: Path) -> None:
        raise EncoderError(
            f"{self._config.name} is a TF-Hub handle: fine-tuned weights are kept in the checkpoint, not in a folder."
        )
