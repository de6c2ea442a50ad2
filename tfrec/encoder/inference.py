"""BERT's forward pass for inference: stock TensorFlow ops only, so that any TensorFlow Serving runs it.

Activations stay [tokens, hidden] between matrix products: oneDNN then fuses product, bias and GELU (or the residual)
into one kernel. With gamma and beta as constants it runs LayerNorm as one kernel too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tfrec.encoder.relative_positions import attention_bias
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.tensorflow_setup import tf

Tensor = Any
_FAR_BELOW = -1e9
# TensorFlow's fused oneDNN LayerNorm takes 1e-3 for epsilon, whatever the graph says. LayerNorm does not see the scale
# of its input: on a stream 1024 times as high that epsilon counts as 1e-9. A power of two changes no digit.
_STREAM_SCALE = 1024.0


class Transformer(NamedTuple):
    """What the forward pass reads.

    Attributes:
        weights: name -> float32 variable or tensor, the names and the order of `weight_shapes(sizes)`.
        sizes: the encoder's sizes.
        pooling: "mean", "cls" or "pooled".
    """

    weights: Mapping[str, Tensor]
    sizes: BertSizes
    pooling: str


def compute_type(precision: str) -> Any:
    """The TensorFlow type of "bf16" or "f32"."""
    return tf.bfloat16 if precision == "bf16" else tf.float32


def inference_weights(variables: Mapping[str, Tensor], precision: str) -> list[Tensor]:
    """The weights as `text_vectors` takes them: rescaled, matrices in the compute type, LayerNorm's vectors float32."""
    dtype = compute_type(precision)
    return [
        tf.cast(value * _stream_factor(name), tf.float32 if "LayerNorm" in name or name.startswith("pooler") else dtype)
        for name, value in variables.items()
    ]


def _stream_factor(name: str) -> float:
    """What a weight is multiplied by so that the residual stream runs `_STREAM_SCALE` times as high."""
    if name.endswith(("qkv/kernel", "inner/kernel")):
        return 1 / _STREAM_SCALE  # reads the stream, its result stays as it was
    if name in ("embeddings/projection/kernel", "embeddings/relative"):
        return 1.0  # from stream to stream, and what is no part of it
    if name.startswith("embeddings") or "LayerNorm" in name or "/output/" in name:
        return _STREAM_SCALE
    return 1.0


def text_vectors(
    weights: list[Tensor], sizes: BertSizes, word_ids: Tensor, lengths: Tensor, pooling: str, precision: str
) -> Tensor:
    """One vector per text.

    Args:
        weights: as `inference_weights` gives them, in the order of `weight_shapes`.
        sizes: the encoder's sizes.
        word_ids: int32 [B, T], padded at the end.
        lengths: int32 [B] tokens per text.
        pooling: "mean", "cls" or "pooled".
        precision: "bf16" or "f32".

    Returns:
        float32 [B, hidden].
    """
    named = dict(zip(weight_shapes(sizes), weights, strict=True))
    batch, length = tf.unstack(tf.shape(word_ids))
    mask = tf.sequence_mask(lengths, length)
    flat = _sequence(named, sizes, word_ids, mask, compute_type(precision))
    if pooling == "mean":
        shares = tf.cast(mask, tf.float32) / (_STREAM_SCALE * tf.cast(lengths, tf.float32)[:, tf.newaxis])
        sequence = tf.reshape(tf.cast(flat, tf.float32), [batch, length, sizes.hidden])
        return tf.squeeze(tf.matmul(shares[:, tf.newaxis], sequence), axis=1)
    first = tf.cast(tf.gather(flat, tf.range(batch) * length), tf.float32) / _STREAM_SCALE
    if pooling == "cls":
        return first
    return tf.tanh(tf.matmul(first, named["pooler/kernel"]) + named["pooler/bias"])


def _sequence(w: Mapping[str, Tensor], sizes: BertSizes, word_ids: Tensor, mask: Tensor, dtype: Any) -> Tensor:
    batch, length = tf.unstack(tf.shape(word_ids))
    words = tf.gather(w["embeddings/word"], word_ids)
    placed = words + (w["embeddings/position"][:length] + w["embeddings/type"][0])
    x = _layer_norm(tf.reshape(placed, [-1, sizes.embedding or sizes.hidden]), w, "embeddings", sizes.epsilon, dtype)
    if sizes.embedding:
        x = tf.nn.bias_add(tf.matmul(x, w["embeddings/projection/kernel"]), w["embeddings/projection/bias"])
    outside = tf.cast(tf.where(mask, 0.0, _FAR_BELOW), dtype)[:, tf.newaxis, tf.newaxis, :]
    if sizes.relative:
        outside += tf.cast(attention_bias(w["embeddings/relative"], length), dtype)[tf.newaxis]
    for layer in range(sizes.layers):
        own = {name.partition("/")[2]: v for name, v in w.items() if name.startswith(f"layer_{layer}/")}
        x = _layer(x, own, sizes, outside, [batch, length], dtype)
    return x


def _layer(
    x: Tensor, w: Mapping[str, Tensor], sizes: BertSizes, outside: Tensor, shape: list[Tensor], dtype: Any
) -> Tensor:
    def product(values: Tensor, name: str) -> Tensor:
        return tf.nn.bias_add(tf.matmul(values, w[f"{name}/kernel"]), w[f"{name}/bias"])

    by_head = tf.reshape(product(x, "attention/qkv"), [*shape, 3 * sizes.heads, sizes.head_width])
    q, k, v = tf.split(tf.transpose(by_head, [0, 2, 1, 3]), 3, axis=1)
    scores = tf.matmul(q, k, transpose_b=True) * tf.cast(sizes.head_width**-0.5, dtype) + outside
    context = tf.matmul(tf.nn.softmax(scores), v)
    context = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, sizes.hidden])
    x = _layer_norm(product(context, "attention/output") + x, w, "attention", sizes.epsilon, dtype)
    inner = tf.nn.gelu(product(x, "ffn/inner"), approximate=False)
    return _layer_norm(product(inner, "ffn/output") + x, w, "ffn", sizes.epsilon, dtype)


def _layer_norm(x: Tensor, w: Mapping[str, Tensor], part: str, epsilon: float, dtype: Any) -> Tensor:
    # Exactly the shape of graph in which oneDNN's remapper sees a LayerNorm (axis 1 of 2, gamma and beta constants).
    h = tf.cast(x, tf.float32)
    mean = tf.reduce_mean(h, axis=[1], keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(h, mean), axis=[1], keepdims=True)
    gamma, beta = w[f"{part}/LayerNorm/gamma"], w[f"{part}/LayerNorm/beta"]
    normal = tf.nn.batch_normalization(h, mean, variance, beta, gamma, epsilon * _STREAM_SCALE**2)
    return tf.cast(normal, dtype)
