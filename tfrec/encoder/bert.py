"""Our BERT as a TF-Hub transformer encoder: the object that is written as a SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.saving import traced_for_saving
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.encoder.transformer import sequence_vectors
from tfrec.tensorflow_setup import tf

Tensor = Any
PRECISIONS = ("f32", "bf16")
DEFAULT_DROPOUT = 0.1


class Bert(tf.__internal__.tracking.AutoTrackable):  # type: ignore[misc]
    """A BERT encoder with the call conventions of TF-Hub's transformer encoders, and a packed form of its own.

    `__call__(inputs, training, precision)` takes one of two structures:

    - padded, TF-Hub's: {input_word_ids, input_mask, input_type_ids} int32 [B, T];
      gives {default, pooled_output} float32 [B, H] and sequence_output float32 [B, T, H].
    - packed, several texts per row: {input_word_ids, text_ids, position_ids} int32 [R, T], text_starts int32 [P] (index
      into the R x T slots of each text's first token), dropout_seed int32 [] and dropout_rate float32 [];
      gives {default, pooled_output} [P, H] and sequence_output [R, T, H].

    Args:
        sizes: the sizes.
        weights: name -> array for every name of `weight_shapes(sizes)`.
    """

    def __init__(self, sizes: BertSizes, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self._sizes = sizes
        with tf.device("CPU"):
            self.variables = [tf.Variable(weights[name], name=name, dtype=tf.float32) for name in weight_shapes(sizes)]
        self.trainable_variables = list(self.variables)
        self.regularization_losses: list[Any] = []

    @tf.function(autograph=False)
    def __call__(self, inputs: dict[str, Tensor], training: bool = False, precision: str = "f32") -> dict[str, Tensor]:
        weights = dict(zip(weight_shapes(self._sizes), self.variables, strict=True))
        return encoder_outputs(weights, self._sizes, inputs, training, precision)

    def save(self, folder: Path) -> None:
        """Writes the encoder as a SavedModel that `hub.KerasLayer(folder, trainable=True)` loads.

        Args:
            folder: an empty or new folder.
        """
        with traced_for_saving():
            for precision in PRECISIONS:
                for training in (False, True):
                    for structure in (_padded, _packed):
                        self.__call__.get_concrete_function(structure(), training=training, precision=precision)
        tf.saved_model.save(self, str(folder))


def encoder_outputs(
    weights: Mapping[str, Any], sizes: BertSizes, inputs: Mapping[str, Tensor], training: bool, precision: str
) -> dict[str, Tensor]:
    """What `Bert` gives for its inputs.

    Args:
        weights: name -> variable or float32 tensor, the names of `weight_shapes`, perhaps with adapters (see lora.py).
        sizes: the sizes.
        inputs: either structure of `Bert`.
        training: whether dropout is on.
        precision: "bf16" or "f32".
    """
    weights = {name: tf.convert_to_tensor(value) for name, value in weights.items()}
    word_ids = inputs["input_word_ids"]
    if "input_mask" in inputs:
        rows, length = tf.unstack(tf.shape(word_ids))
        text_ids = inputs["input_mask"]
        position_ids = tf.broadcast_to(tf.range(length), [rows, length])
        type_ids, starts = inputs["input_type_ids"], tf.range(rows) * length
        dropout = (_random_seed(), tf.constant(DEFAULT_DROPOUT))
    else:
        text_ids, position_ids, type_ids = inputs["text_ids"], inputs["position_ids"], None
        starts, dropout = inputs["text_starts"], (inputs["dropout_seed"], inputs["dropout_rate"])
    flat = sequence_vectors(
        weights,
        sizes,
        word_ids=word_ids,
        text_ids=text_ids,
        position_ids=position_ids,
        type_ids=type_ids,
        precision=precision,
        dropout=dropout if training else None,
    )
    flat = tf.cast(flat, tf.float32)
    first = tf.gather(flat, starts)
    pooled = tf.tanh(tf.matmul(first, weights["pooler/kernel"]) + weights["pooler/bias"])
    sequence = tf.reshape(flat, tf.concat([tf.shape(word_ids), [sizes.hidden]], 0))
    return {"default": pooled, "pooled_output": pooled, "sequence_output": sequence}


def _random_seed() -> Tensor:
    return tf.random.uniform([], maxval=2**31 - 1, dtype=tf.int32)


def _matrices(*names: str) -> dict[str, Any]:
    return {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}


def _padded() -> dict[str, Any]:
    return _matrices("input_word_ids", "input_mask", "input_type_ids")


def _packed() -> dict[str, Any]:
    return {
        **_matrices("input_word_ids", "text_ids", "position_ids"),
        "text_starts": tf.TensorSpec([None], tf.int32, "text_starts"),
        "dropout_seed": tf.TensorSpec([], tf.int32, "dropout_seed"),
        "dropout_rate": tf.TensorSpec([], tf.float32, "dropout_rate"),
    }
