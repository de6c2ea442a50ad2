"""Gradients and freezing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.checkpoint import read_checkpoint
from tfrec.encoder.freezing import split_trainable
from tfrec.encoder.inference import inference_weights, text_vectors
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import keras, tf

TEXTS = ["red sofa", "", "红色的沙发", "blue mug - 12", "leather " * 30]


def loss_of(vectors: tf.Tensor) -> tf.Tensor:
    target = tf.random.stateless_normal(tf.shape(vectors), [1, 2])
    return tf.reduce_sum(vectors * target)


def test_gradients_through_the_hub_layer_equal_those_of_plain_ops(small: str, checkpoint: Path) -> None:
    encoder = load_encoder(EncoderConfig(name=small, precision="f32", freeze="none", dropout=0.0), seed=1)
    tokens = encoder.tokenize(tf.constant(TEXTS), 24)

    @tf.function
    def packed() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = loss_of(encoder.pooled([tokens], training=True)[0])
        return tape.gradient(loss, encoder.trainable_variables, unconnected_gradients="zero")

    read = read_checkpoint(checkpoint)
    sizes, arrays = read.sizes, read.weights
    weights = [tf.constant(arrays[name]) for name in weight_shapes(sizes)]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        lengths = tf.cast(tokens.row_lengths(), tf.int32)
        named = dict(zip(weight_shapes(sizes), weights, strict=True))
        prepared = inference_weights(named, "f32")
        loss = loss_of(text_vectors(prepared, sizes, tokens.to_tensor(), lengths, "mean", "f32"))
    plain = tape.gradient(loss, weights, unconnected_gradients="zero")
    assert len(plain) == len(encoder.trainable_variables)
    for name, ours, expected in zip(weight_shapes(sizes), packed(), plain, strict=True):
        ours, expected = tf.convert_to_tensor(ours).numpy(), tf.convert_to_tensor(expected).numpy()
        scale = max(np.abs(expected).max(), 1.0)
        np.testing.assert_allclose(ours / scale, expected / scale, atol=2e-5, err_msg=name)
        assert np.abs(expected).max() > 0 or name.startswith("pooler"), name


def test_plain_hub_layer_fine_tunes_every_weight(small: str) -> None:
    import tensorflow_hub as hub

    layer = hub.KerasLayer(str(Path(small) / "encoder"), trainable=True)
    preprocessor = hub.KerasLayer(str(Path(small) / "preprocessor"))
    inputs = preprocessor(tf.constant(TEXTS))
    assert set(inputs) == {"input_word_ids", "input_mask", "input_type_ids"} and inputs["input_mask"].shape == [5, 128]
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        loss = loss_of(outputs["default"]) + tf.reduce_sum(outputs["sequence_output"][:, 0] ** 3)
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == 5 + 2 * 12 + 2 and all(g is not None for g in gradients)
    before = layer(inputs, training=False)["pooled_output"].numpy()
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.name
        variable.assign_sub(0.01 * tf.convert_to_tensor(gradient))
    assert np.abs(layer(inputs, training=False)["pooled_output"].numpy() - before).max() > 1e-4


def test_training_in_bf16_lowers_the_loss(small: str) -> None:
    encoder = load_encoder(EncoderConfig(name=small, precision="bf16", dropout=0.1), seed=1)
    optimizer = keras.optimizers.Adam(0.005)
    left, right = encoder.tokenize(tf.constant(TEXTS), 24), encoder.tokenize(tf.constant(TEXTS[::-1]), 24)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            a, b = (tf.math.l2_normalize(v, -1) for v in encoder.pooled([left, right], training=True))
            logits = 10 * tf.matmul(a, b, transpose_b=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.range(5), logits=logits))
        variables = encoder.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients([(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None])
        return loss

    losses = [float(step()) for _ in range(30)]
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])


@pytest.mark.parametrize(
    "freeze, frozen",
    [("none", 0), ("all", 31), ("embeddings", 5), ("top:1", 5 + 12), ("top:2", 5), ("pattern:attention/.*bias", 4)],
)
def test_freezing_holds_back_exactly_the_named_variables(freeze: str, frozen: int) -> None:
    names = weight_shapes(BertSizes(vocabulary=9, hidden=4, layers=2, heads=1, intermediate=8))
    variables = [tf.Variable(0.0, name=name) for name in names]
    trainable, held = split_trainable(variables, freeze)
    assert len(held) == frozen
    assert {id(v) for v in trainable} | {id(v) for v in held} == {id(v) for v in variables}
    assert len(trainable) + len(held) == len(variables)


def test_a_frozen_encoder_trains_only_the_rest(small: str) -> None:
    encoder = load_encoder(EncoderConfig(name=small, freeze="top:1"), seed=1)
    assert len(encoder.trainable_variables) == 12 + 2
    assert all(v.name.startswith(("layer_1/", "pooler")) for v in encoder.trainable_variables)
    assert {id(v) for v in encoder.layer.trainable_variables} == {id(v) for v in encoder.trainable_variables}


def test_freezing_patterns_that_match_nothing_name_some_variables() -> None:
    variables = [tf.Variable(0.0, name=name) for name in ("word_table", "block/kernel")]
    with pytest.raises(EncoderError, match="'pattern:layer_9' matches none .*word_table"):
        split_trainable(variables, "pattern:layer_9")
    with pytest.raises(EncoderError, match="finds no layer numbers .*word_table"):
        split_trainable(variables, "top:2")
    with pytest.raises(EncoderError, match="not 'some'"):
        split_trainable(variables, "some")
