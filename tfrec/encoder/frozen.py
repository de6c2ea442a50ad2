"""An encoder whose weights are frozen: what goes into an export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tfrec.encoder.inference import text_vectors
from tfrec.encoder.prompts import Prompts
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.encoder.text_encoder import Role
from tfrec.tensorflow_setup import tf

Tensor = Any


class FrozenEncoder(tf.Module):  # type: ignore[misc]
    """Callable (texts string [B], max_tokens, role) -> float32 [B, hidden], weights inside as constants.

    The part from tokens to vectors is one function, so all signatures of an export share one copy of the constants in
    the file. In memory every signature that is called has its own, several times over while its graph is optimised;
    therefore the table of word embeddings, half of a small encoder's weights, is a variable, which all share. Rows are
    only gathered from it. Matrices stay constants, because oneDNN keeps those in the order that its products read.

    Args:
        weights: arrays in the order of `weight_shapes`, of the types `inference_weights` gives.
        sizes: the encoder's sizes.
        pooling: "mean", "cls" or "pooled".
        precision: "bf16" or "f32".
        preprocessor: the loaded preprocessor.
        tokens: (texts string [B], most tokens) -> RaggedTensor with the encoder's marks, made with that preprocessor.
        prompts: what is put before texts of a role.

    Attributes:
        vectors: (word ids int32 [B, T] padded at the end, lengths int32 [B]) -> float32 [B, hidden].
    """

    def __init__(
        self,
        weights: list[np.ndarray],
        sizes: BertSizes,
        pooling: str,
        precision: str,
        preprocessor: Any,
        tokens: Callable[[Tensor, int], Tensor],
        prompts: Prompts,
    ) -> None:
        super().__init__(name="frozen_encoder")
        self._preprocessor = preprocessor
        self._tokens, self._prompts = tokens, prompts
        place = list(weight_shapes(sizes)).index("embeddings/word")
        words = self._words = tf.Variable(weights[place], trainable=False, name="word_embeddings")

        @tf.function(
            input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)], autograph=False
        )
        def vectors(word_ids: Tensor, lengths: Tensor) -> Tensor:
            held = [words if number == place else tf.constant(value) for number, value in enumerate(weights)]
            found = text_vectors(held, sizes, word_ids, lengths, pooling, precision)
            return tf.ensure_shape(found, [None, sizes.hidden])

        self.vectors = vectors

    def __call__(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        tokens = self._tokens(*self._prompts.before(texts, max_tokens, role))
        return self.vectors(tokens.to_tensor(), tf.cast(tokens.row_lengths(), tf.int32))
