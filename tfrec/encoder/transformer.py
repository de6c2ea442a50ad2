"""The forward pass of BERT and its kin, written for training on a CPU.

Activations stay two-dimensional, [tokens, hidden], from matrix product to matrix product. Weights are float32 masters,
cast once per call to the compute type; everything element-wise lives in XLA islands (see islands.py).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from tfrec.encoder.attention import attend
from tfrec.encoder.islands import bias_gelu, residual_layer_norm
from tfrec.encoder.lora import DOWN, UP
from tfrec.encoder.relative_positions import attention_bias
from tfrec.encoder.sizes import BertSizes
from tfrec.tensorflow_setup import tf

Tensor = Any


def sequence_vectors(
    weights: Mapping[str, Tensor],
    sizes: BertSizes,
    *,
    word_ids: Tensor,
    text_ids: Tensor,
    position_ids: Tensor,
    type_ids: Tensor | None,
    precision: str,
    dropout: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """Token vectors of the last layer.

    Args:
        weights: name -> float32 variable, the names of `sizes.weight_shapes`; a matrix may have a LoRA adapter beside
            it, which `lora.Adapters.beside` adds.
        sizes: the encoder's sizes.
        word_ids: int32 [R, T] word pieces; R rows may hold several texts each.
        text_ids: int32 [R, T], which text a slot belongs to, 0 for padding.
        position_ids: int32 [R, T], position within the text.
        type_ids: int32 [R, T] segment types, or None for all 0.
        precision: "bf16" or "f32", the type of matrix products and activations.
        dropout: (seed int32 scalar, rate float32 scalar) or None.

    Returns:
        [R x T, hidden] of the compute type.
    """
    dtype = tf.bfloat16 if precision == "bf16" else tf.float32
    seed, rate = dropout if dropout is not None else (tf.constant(0), tf.constant(0.0))
    flat = tf.reshape(word_ids, [-1])
    words = tf.gather(weights["embeddings/word"], flat)
    positions = tf.gather(weights["embeddings/position"], tf.reshape(position_ids, [-1]))
    types = weights["embeddings/type"]
    if type_ids is not None:  # type 0 is added as the bias below
        words += tf.gather(types - types[0], tf.reshape(type_ids, [-1]))
    norm = residual_layer_norm(sizes.epsilon, False)
    gamma, beta = weights["embeddings/LayerNorm/gamma"], weights["embeddings/LayerNorm/beta"]
    x = tf.cast(norm(words, types[0], positions, gamma, beta, seed, rate), dtype)
    if sizes.embedding:
        kernel, shift = (tf.cast(weights[f"embeddings/projection/{leaf}"], dtype) for leaf in ("kernel", "bias"))
        x = tf.nn.bias_add(tf.matmul(x, kernel), shift)
    bias = attention_bias(weights["embeddings/relative"], tf.shape(text_ids)[1]) if sizes.relative else None
    for layer in range(sizes.layers):
        prefix = f"layer_{layer}/"
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        x = _layer(sizes, dropout is not None)(x, text_ids, own, seed + 2 * layer, rate, bias)
    return x


@functools.cache
def _layer(sizes: BertSizes, dropout: bool) -> Callable[..., Tensor]:
    """One layer as a function: all layers share one trace, which keeps the SavedModel small and quick to load."""

    @tf.function(autograph=False)
    def layer(
        x: Tensor, text_ids: Tensor, weights: dict[str, Tensor], seed: Tensor, rate: Tensor, bias: Tensor | None
    ) -> Tensor:
        found = _layer_ops(x, text_ids, weights, sizes, dropout, seed, rate, bias)
        return tf.ensure_shape(found, [None, sizes.hidden])

    return layer


def _layer_ops(
    x: Tensor, text_ids: Tensor, w: Mapping[str, Tensor], sizes: BertSizes, dropout: bool, seed: Tensor, rate: Tensor,
    bias: Tensor | None,
) -> Tensor:  # fmt: skip
    norm = residual_layer_norm(sizes.epsilon, dropout)

    def product(values: Tensor, name: str) -> Tensor:
        found = tf.matmul(values, tf.cast(w[f"{name}/kernel"], x.dtype))
        if f"{name}/{DOWN}" in w:
            narrow = tf.matmul(values, tf.cast(w[f"{name}/{DOWN}"], x.dtype))
            found += tf.matmul(narrow, tf.cast(w[f"{name}/{UP}"], x.dtype))
        return found

    def closed(values: Tensor, residual: Tensor, part: str, part_seed: Tensor) -> Tensor:
        gamma, beta = w[f"{part}/LayerNorm/gamma"], w[f"{part}/LayerNorm/beta"]
        return norm(values, w[f"{part}/output/bias"], residual, gamma, beta, part_seed, rate)

    qkv = tf.nn.bias_add(product(x, "attention/qkv"), tf.cast(w["attention/qkv/bias"], x.dtype))
    x = closed(product(attend(qkv, text_ids, sizes.heads, bias), "attention/output"), x, "attention", seed)
    inner = bias_gelu(product(x, "ffn/inner"), w["ffn/inner/bias"])
    return closed(product(inner, "ffn/output"), x, "ffn", seed + 1)
