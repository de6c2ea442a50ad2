"""Our own BERT behind the face of TextEncoder: one hub.KerasLayer, called in its packed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.encoder.bert import encoder_outputs
from tfrec.encoder.bulk import encode_sorted
from tfrec.encoder.cpu import chosen_precision
from tfrec.encoder.freezing import split_trainable
from tfrec.encoder.hub_loading import hub_layer
from tfrec.encoder.inference import Transformer, inference_weights, text_vectors
from tfrec.encoder.lora import Adapters
from tfrec.encoder.packing import mean_of_texts, pack
from tfrec.encoder.preprocessor import tokens_with_marks
from tfrec.encoder.prompts import Prompts, chosen_prompts
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.encoder.store import InstalledEncoder
from tfrec.encoder.text_encoder import Role, TextEncoder
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.config.modelling import EncoderConfig

Tensor = Any
_TEXTS_WORTH_A_TRACE = 2000


class PackedEncoder(TextEncoder):
    """An installed encoder of ours.

    Args:
        source: the installed encoder.
        config: pooling, freezing, adapters, dropout and precision.
        seed: of dropout and of the adapters.
    """

    def __init__(self, source: InstalledEncoder, config: EncoderConfig, seed: int) -> None:
        super().__init__(name="text_encoder")
        import tensorflow_hub
        import tensorflow_text  # noqa: F401  registers the ops of the preprocessor

        self.precision = chosen_precision(config.precision)
        arguments = {"precision": self.precision}
        self.layer = hub_layer(str(source.encoder), trainable=True, arguments=arguments, name="encoder")
        self.preprocessor = tensorflow_hub.load(str(source.preprocessor))
        self._source, self._rate = source, config.dropout
        self._pooling = source.facts.get("pooling") or "mean" if config.pooling == "auto" else config.pooling
        self._sizes = BertSizes(**source.facts["sizes"])
        self._prompts = Prompts(*chosen_prompts(config, source.facts), self._tokens)
        self.hidden_size, self.fingerprint = self._sizes.hidden, source.fingerprint
        by_name = {variable.name.split(":")[0]: variable for variable in self.layer.variables}
        self._weights = {name: by_name[name] for name in weight_shapes(self._sizes)}
        trainable, frozen = split_trainable(list(self._weights.values()), config.freeze)
        self._adapters = None
        if config.lora.active:
            free = {variable.name.split(":")[0] for variable in trainable}
            self._adapters = Adapters(config.lora, self._weights, free, seed)
            trainable, frozen = [], list(self._weights.values())
        # Keras asks the layer which weights train. In place: assigning an attribute would track the lists anew.
        self.layer._trainable_weights[:], self.layer._non_trainable_weights[:] = trainable, frozen
        self._trainable = tuple(trainable if self._adapters is None else self._adapters.in_order)
        # Dropout's seed counts the passes in a variable, so that a checkpoint continues the same sequence.
        self.dropout_seed = tf.Variable(seed * 7919 % (1 << 30), trainable=False, dtype=tf.int32, name="dropout_seed")
        self._encode_batch = self._encoding_function({})

    @property
    def variables(self) -> list[Any]:  # type: ignore[override]
        adapters = [] if self._adapters is None else self._adapters.in_order
        return [*self._weights.values(), *adapters, self.dropout_seed]

    @property
    def trainable_variables(self) -> list[Any]:  # type: ignore[override]
        return list(self._trainable)

    @property
    def saved_variables(self) -> list[Any]:
        """With adapters only these: the rest is the installed encoder's, whose fingerprint a training's name holds."""
        return self.variables if self._adapters is None else [*self._adapters.in_order, self.dropout_seed]

    @property
    def unmixed_variables(self) -> list[Any]:
        """Of adapters D U that begin at zero only U is mixed: so the matrices move on a straight line."""
        return self._adapters.down if self._adapters is not None and self._adapters.idle else []

    @property
    def _present(self) -> dict[str, Tensor]:
        """The weights as they act now, name -> variable or tensor."""
        return self._weights if self._adapters is None else self._adapters.merged(self._weights)

    @property
    def transformer(self) -> Transformer:
        return Transformer(self._present, self._sizes, self._pooling)

    def tokenize(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        return self._tokens(*self._prompts.before(texts, max_tokens, role))

    def _tokens(self, texts: Tensor, max_tokens: int) -> Tensor:
        facts = self._source.facts
        max_tokens = min(max_tokens, facts.get("max_tokens") or self._sizes.positions)
        return tokens_with_marks(self.preprocessor.tokenize(texts), max_tokens, facts["start_id"], facts["end_id"])

    def pooled(self, groups: Sequence[Tensor], training: bool) -> list[Tensor]:
        packed = pack(tf.concat([group.with_row_splits_dtype(tf.int64) for group in groups], axis=0))
        dropping = training and self._rate > 0
        seed = self.dropout_seed.assign_add(16 * self._sizes.layers) if dropping else tf.constant(0)
        inputs = {
            "input_word_ids": packed.word_ids,
            "text_ids": packed.text_ids,
            "position_ids": packed.position_ids,
            "text_starts": packed.starts,
            "dropout_seed": tf.identity(seed),
            "dropout_rate": tf.constant(self._rate, tf.float32),
        }
        if self._adapters is None:
            outputs = self.layer(inputs, training=dropping)
        else:  # the saved graph has no place for them
            weights = self._adapters.beside(self._weights)
            outputs = encoder_outputs(weights, self._sizes, inputs, dropping, self.precision)
        if self._pooling == "pooled":
            vectors = outputs["pooled_output"]
        elif self._pooling == "cls":
            vectors = tf.gather(tf.reshape(outputs["sequence_output"], [-1, self.hidden_size]), packed.starts)
        else:
            sequence = tf.ensure_shape(outputs["sequence_output"], [None, None, self.hidden_size])
            vectors = mean_of_texts(sequence, packed)
        return tf.split(vectors, [group.nrows() for group in groups], num=len(groups))

    def encode(self, texts: Sequence[str], max_tokens: int, description: str = "", role: Role = "") -> np.ndarray:
        weights = inference_weights(self._present, self.precision)
        encode_batch = self._encode_batch
        if len(texts) >= _TEXTS_WORTH_A_TRACE:
            names = enumerate(self._weights)
            fixed = {place: weights[place].numpy() for place, name in names if "LayerNorm" in name}
            encode_batch = self._encoding_function(fixed)
        return encode_sorted(
            texts,
            lambda some: self.tokenize(some, max_tokens, role),
            lambda word_ids, lengths: encode_batch(weights, word_ids, lengths),
            self.hidden_size,
            description,
        )

    def _encoding_function(self, constants: Mapping[int, np.ndarray]) -> Callable[..., Tensor]:
        """The bulk encoding function (weights, word ids [B, T], lengths [B]) -> [B, hidden].

        Weights are arguments, so that training never needs a new trace. Those in `constants` (place -> value) are fixed
        instead: with LayerNorm's vectors fixed, oneDNN runs it as one kernel.
        """

        def vectors(weights: list[Tensor], word_ids: Tensor, lengths: Tensor) -> Tensor:
            weights = [tf.constant(constants[i]) if i in constants else weight for i, weight in enumerate(weights)]
            return text_vectors(weights, self._sizes, word_ids, lengths, self._pooling, self.precision)

        like = [tf.TensorSpec.from_tensor(value) for value in inference_weights(self._weights, self.precision)]
        signature = [like, tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
        return tf.function(vectors, input_signature=signature, autograph=False)

    def inference_function(self, precision: str) -> Callable[..., Tensor]:
        from tfrec.encoder.frozen import FrozenEncoder

        weights = [value.numpy() for value in inference_weights(self._present, precision)]
        return FrozenEncoder(
            weights, self._sizes, self._pooling, precision, self.preprocessor, self._tokens, self._prompts
        )

    def save(self, folder: Path) -> None:
        from tfrec.encoder.install import copy_with_weights

        copy_with_weights(self._source, folder, {name: value.numpy() for name, value in self._present.items()})
