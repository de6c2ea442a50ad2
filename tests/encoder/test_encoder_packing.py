"""Packing changes the layout and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.islands import residual_layer_norm
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.packing import ROW_LENGTHS, mean_of_texts, pack, rounded_up
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.tensorflow_setup import tf

TEXTS = ["red sofa", "", "红色的沙发", "blue mug - 12", "leather " * 30, "a b c d e f g h", "sofas"] * 5


@pytest.fixture(scope="module")
def encoder(small: str) -> TextEncoder:
    return load_encoder(EncoderConfig(name=small, precision="f32", dropout=0.1), seed=1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=200), min_size=1, max_size=60))
def test_every_text_lies_whole_in_one_row(texts: list[list[int]]) -> None:
    packed = pack(tf.ragged.constant(texts, dtype=tf.int32))
    rows, length = packed.word_ids.shape
    words, owners, positions = (x.numpy().ravel() for x in (packed.word_ids, packed.text_ids, packed.position_ids))
    for number, text in enumerate(texts):
        slots = np.flatnonzero(owners == number + 1)
        assert words[slots].tolist() == text
        assert positions[slots].tolist() == list(range(len(text)))
        assert slots[0] == packed.starts[number] and slots[0] // length == slots[-1] // length
    assert (owners > 0).sum() == sum(map(len, texts))
    assert length in ROW_LENGTHS
    fewest = -(-sum(map(len, texts)) // length)
    assert rows <= rounded_up(2 * fewest)  # first-fit never needs twice the rows


def test_mean_of_texts_is_the_mean() -> None:
    tokens = tf.ragged.constant([[5, 6, 7], [8], [9, 9]], dtype=tf.int32)
    packed = pack(tokens)
    sequence = np.random.default_rng(0).normal(size=(*packed.word_ids.shape, 4)).astype(np.float32)
    found = mean_of_texts(tf.constant(sequence), packed).numpy()
    expected = [sequence[packed.text_ids.numpy() == number].mean(0) for number in (1, 2, 3)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_shapes_stay_few() -> None:
    assert len({rounded_up(rows) for rows in range(1, 1025)}) <= 16 * 7
    assert all(rows <= rounded_up(rows) <= rows * 17 / 16 for rows in range(1, 5000))


def test_packed_equals_padded(encoder: TextEncoder) -> None:
    tokens = encoder.tokenize(tf.constant(TEXTS), 32)
    packed = encoder.pooled([tokens], training=False)[0].numpy()
    word_ids = tokens.to_tensor()
    mask = tf.sequence_mask(tokens.row_lengths(), dtype=tf.int32)
    inputs = {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": tf.zeros_like(word_ids)}
    sequence = encoder.layer(inputs)["sequence_output"].numpy()
    share = mask.numpy() / mask.numpy().sum(1, keepdims=True)
    np.testing.assert_allclose(packed, np.einsum("bt,bth->bh", share, sequence), atol=1e-5)


def test_order_and_company_of_texts_change_nothing(encoder: TextEncoder) -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    together = encoder.pooled([encoder.tokenize(tf.constant(TEXTS), 32)], training=False)[0].numpy()
    shuffled = encoder.tokenize(tf.constant([TEXTS[i] for i in order]), 32)
    parts = encoder.pooled([shuffled[:4], shuffled[4:4], shuffled[4:]], training=False)
    assert [len(part) for part in parts] == [4, 0, len(TEXTS) - 4]
    np.testing.assert_allclose(np.concatenate(parts)[np.argsort(order)], together, atol=1e-5)
    alone = encoder.pooled([encoder.tokenize(tf.constant(TEXTS[3:4]), 32)], training=False)[0].numpy()
    np.testing.assert_allclose(alone[0], together[3], atol=1e-5)


def test_dropout_is_of_the_wanted_strength_and_follows_the_seed(encoder: TextEncoder, small: str) -> None:
    tokens = encoder.tokenize(tf.constant(TEXTS[:7]), 32)

    def vectors(one: TextEncoder, seed: int) -> list[np.ndarray]:
        one.dropout_seed.assign(seed)
        return [one.pooled([tokens], training=training)[0].numpy() for training in (True, True, False)]

    first, second, without = vectors(encoder, 1)
    assert np.abs(first - second).max() > 1e-3, "the same elements were dropped twice"
    for once, again in zip((first, second), vectors(encoder, 1)[:2], strict=True):
        np.testing.assert_array_equal(once, again)
    assert np.abs(first - vectors(encoder, 2)[0]).max() > 1e-3
    stronger = load_encoder(EncoderConfig(name=small, precision="f32", dropout=0.5), seed=1)
    assert 0 < np.abs(first - without).mean() < np.abs(vectors(stronger, 1)[0] - without).mean()


def test_dropout_keeps_the_expected_share_and_mean() -> None:
    norm = residual_layer_norm(1e-12, True)
    rows, width, rate = 512, 64, 0.3
    ones, zeros = tf.ones([width]), tf.zeros([width])
    with tf.GradientTape() as tape:
        x = tf.ones([rows, width])
        tape.watch(x)
        y = norm(x, zeros, tf.zeros([rows, width]), ones, zeros, tf.constant(7), tf.constant(rate))
    gradient = tape.gradient(y, x, tf.random.stateless_normal([rows, width], [1, 2])).numpy()
    kept = gradient != 0  # the gradient passes exactly where the element was kept
    assert abs(kept.mean() - (1 - rate)) < 0.01
    assert np.abs(kept.mean(0) - (1 - rate)).max() < 0.12 and np.abs(kept.mean(1) - (1 - rate)).max() < 0.3
    np.testing.assert_array_equal(kept, y.numpy() > 0)
    neighbours = np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.03
