"""Adapters: nothing at the start, all that training changes, and gone in what is exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf
from tfrec.training.interpolation import Interpolation
from tfrec.training.optimizer import AdamW

TEXTS = ["red sofa", "", "红色的沙发", "blue mug - 12", "leather " * 30]
WIDTH, LAYERS, RANK = 32, 2, 2  # of the small encoder, and of its adapters


def lora(name: str, rank: int = RANK, **more: object) -> TextEncoder:
    settings = {"precision": "f32", "dropout": 0.0, "lora": {"rank": rank}, **more}
    return load_encoder(EncoderConfig(name=name, **settings), seed=1)


def shift(encoder: TextEncoder) -> None:
    """Gives the adapters values as if they had been trained."""
    for number, variable in enumerate(encoder.trainable_variables):
        variable.assign_add(tf.random.stateless_normal(variable.shape, [number, 7], stddev=0.05))


@pytest.fixture(scope="module")
def plain(small: str) -> TextEncoder:
    return load_encoder(EncoderConfig(name=small, precision="f32", dropout=0.0, freeze="none"), seed=1)


def test_training_begins_at_the_encoder_as_it_is(small: str, plain: TextEncoder) -> None:
    encoder = lora(small)
    np.testing.assert_array_equal(encoder.encode(TEXTS, 24), plain.encode(TEXTS, 24))
    tokens = [encoder.tokenize(tf.constant(TEXTS), 24)]
    ours, theirs = (one.pooled(tokens, training=True)[0].numpy() for one in (encoder, plain))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_merged_weights_answer_as_the_adapters(small: str, plain: TextEncoder, tmp_path: Path) -> None:
    encoder = lora(small)
    shift(encoder)
    (adapted,) = encoder.pooled([encoder.tokenize(tf.constant(TEXTS), 24)], training=True)
    served = encoder.inference_function("f32")(tf.constant(TEXTS), 24)
    np.testing.assert_allclose(served, adapted, atol=1e-5)
    assert np.abs(plain.encode(TEXTS, 24) - adapted).max() > 1e-2
    encoder.save(tmp_path / "tuned")
    saved = load_encoder(EncoderConfig(name=str(tmp_path / "tuned"), precision="f32"), seed=1)
    np.testing.assert_allclose(saved.encode(TEXTS, 24), adapted, atol=1e-5)


def test_adapters_are_the_gradient_of_their_matrices(small: str, plain: TextEncoder) -> None:
    """With D U beside W, dL/dU = scale x D' dL/dW and dL/dD = scale x dL/dW U'."""
    encoder = lora(small)
    scale = 16 / RANK
    merged = {v.name.split(":")[0]: v for v in plain.variables}
    before = {name: variable.numpy() for name, variable in merged.items()}
    shift(encoder)
    pairs = list(zip(encoder._adapters.names, encoder._adapters.down, encoder._adapters.up, strict=True))
    try:
        for name, down, up in pairs:
            merged[name].assign_add(scale * down @ up)
        for one in (encoder, plain):
            with tf.GradientTape() as tape:
                (vectors,) = one.pooled([one.tokenize(tf.constant(TEXTS), 24)], training=True)
                loss = tf.reduce_sum(vectors * tf.random.stateless_normal(tf.shape(vectors), [1, 2]))
            if one is encoder:
                ours = tape.gradient(loss, [[down, up] for _, down, up in pairs])
            else:
                theirs = tape.gradient(loss, [merged[name] for name, _, _ in pairs])
        for (name, down, up), (for_down, for_up), whole in zip(pairs, ours, theirs, strict=True):
            size = scale * np.abs(whole).max()
            expected_up, expected_down = scale * tf.transpose(down) @ whole, scale * whole @ tf.transpose(up)
            np.testing.assert_allclose(for_up / size, expected_up / size, atol=2e-4, err_msg=name)
            np.testing.assert_allclose(for_down / size, expected_down / size, atol=2e-4, err_msg=name)
    finally:
        for name, variable in merged.items():
            variable.assign(before[name])


def test_only_adapters_change_and_the_optimiser_holds_little(small: str, plain: TextEncoder) -> None:
    encoder = lora(small, precision="bf16", dropout=0.1)
    optimizer = AdamW([(encoder.trainable_variables, 0.01)], 0.01, 1.0)
    left, right = encoder.tokenize(tf.constant(TEXTS), 24), encoder.tokenize(tf.constant(TEXTS[::-1]), 24)
    adapters = {id(variable) for variable in encoder.trainable_variables}
    frozen = {v.name: v.numpy() for v in encoder.variables if id(v) not in adapters and v.dtype.is_floating}

    @tf.function(autograph=False)
    def step(number: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            a, b = (tf.math.l2_normalize(v, -1) for v in encoder.pooled([left, right], training=True))
            logits = 10 * tf.matmul(a, b, transpose_b=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.range(5), logits=logits))
        optimizer.apply(tape.gradient(loss, optimizer.variables_in_order), tf.constant(1.0), number)
        return loss

    losses = [float(step(tf.constant(number, tf.int64))) for number in range(30)]
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])
    assert len(frozen) == 5 + 12 * LAYERS + 2
    for variable in encoder.variables:
        if variable.name in frozen:
            np.testing.assert_array_equal(variable.numpy(), frozen[variable.name], err_msg=variable.name)
    whole = AdamW([(plain.trainable_variables, 0.01)], 0.01, 1.0)

    def held(one: AdamW) -> int:
        return sum(int(np.prod(v.shape)) for v in (*one.first, *one.second))

    inner = 2 * WIDTH
    assert held(optimizer) == 2 * LAYERS * RANK * ((WIDTH + 3 * WIDTH) + 2 * WIDTH + 2 * (WIDTH + inner))
    assert held(optimizer) < held(whole) / 2


@pytest.mark.parametrize(
    "settings, adapted",
    [
        ({}, 4 * LAYERS),
        ({"freeze": "none"}, 4 * LAYERS),
        ({"freeze": "top:1"}, 4),
        ({"freeze": "pattern:ffn"}, 2 * LAYERS),
        ({"lora": {"rank": 1, "targets": ["attention/qkv"]}}, LAYERS),
    ],
)
def test_what_freezing_leaves_free_is_adapted(small: str, settings: dict[str, object], adapted: int) -> None:
    encoder = lora(small, **settings)
    assert len(encoder.trainable_variables) == 2 * adapted
    assert len(encoder.saved_variables) == 2 * adapted + 1, "and dropout's counter"
    assert encoder.layer.trainable_variables == []


def test_nothing_to_adapt_is_told(small: str) -> None:
    with pytest.raises(EncoderError, match="encoder.freeze leaves no matrix"):
        lora(small, freeze="all")


def test_mixtures_lie_on_the_line_between_the_matrices(small: str) -> None:
    encoder = lora(small)
    unmixed = {id(variable) for variable in encoder.unmixed_variables}
    line = Interpolation([variable for variable in encoder.trainable_variables if id(variable) not in unmixed])
    start = {name: np.array(value) for name, value in encoder._present.items()}
    shift(encoder)
    line.mark_end()
    end = {name: np.array(value) for name, value in encoder._present.items()}
    assert encoder.unmixed_variables == [], "those that go on from trained ones have no straight line"
    for share in (0.25, 0.0, 1.0):
        line.go_to(share)
        for name, value in encoder._present.items():
            np.testing.assert_allclose(value, (1 - share) * start[name] + share * end[name], atol=1e-6)
