"""Two encoders side by side: the sum of their cosines, one that trains and one that stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.encoder.conftest import write_checkpoint
from tfrec.config.modelling import EncoderConfig, LoraConfig
from tfrec.encoder.joined_encoder import JoinedEncoder
from tfrec.encoder.loading import load_encoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

TEXTS = ["red sofa", "", "blue mug - 12", "leather red sofa and mug " * 4]


@pytest.fixture(scope="module")
def other(home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second small encoder, of another size and with other weights."""
    from tfrec.encoder.install import install

    folder = write_checkpoint(tmp_path_factory.mktemp("other") / "other", seed=5, hidden=16, layers=1, heads=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(home))
        return str(install(str(folder)).folder)


def config(name: str) -> EncoderConfig:
    return EncoderConfig(name=name, precision="f32", dropout=0.0, freeze="none")


@pytest.fixture(scope="module")
def both(small: str, other: str) -> JoinedEncoder:
    found = load_encoder(config(f"{small}+{other}"), seed=1)
    assert isinstance(found, JoinedEncoder)
    return found


@pytest.fixture
def joined(both: JoinedEncoder) -> Iterator[JoinedEncoder]:
    """Both encoders, in each test as they were loaded."""
    before = [variable.numpy() for variable in both.variables]
    yield both
    for variable, value in zip(both.variables, before, strict=True):
        variable.assign(value)
    both.train_alone(False)
    both._kept.clear()


def cosines(vectors: np.ndarray) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def test_inner_products_are_the_sum_of_both_cosines(joined: JoinedEncoder) -> None:
    first, second = (encoder.encode(TEXTS, 24) for encoder in (joined.first, joined.second))
    vectors = joined.encode(TEXTS, 24)
    assert vectors.shape == (len(TEXTS), first.shape[1] + second.shape[1]) == (len(TEXTS), joined.hidden_size)
    expected = cosines(first) + joined.scale**2 * cosines(second)
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=2e-5)


def test_training_and_export_see_the_same_vectors(joined: JoinedEncoder, tmp_path: Path) -> None:
    expected = joined.encode(TEXTS, 24)
    groups = [joined.tokenize(tf.constant(some), 24) for some in (TEXTS[:1], TEXTS[1:])]
    np.testing.assert_allclose(tf.concat(joined.pooled(groups, training=True), 0), expected, atol=2e-5)

    module = tf.Module()
    module.encode = joined.inference_function("f32")
    served = tf.function(lambda texts: module.encode(texts, 24), input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path), signatures={"embed": served})
    answer = tf.saved_model.load(str(tmp_path)).signatures["embed"](texts=tf.constant(TEXTS))
    np.testing.assert_allclose(next(iter(answer.values())), expected, atol=2e-5)


def test_a_batch_in_another_order_gives_the_same_vectors(joined: JoinedEncoder) -> None:
    forwards = joined.pooled([joined.tokenize(tf.constant(TEXTS), 24)], training=False)[0].numpy()
    backwards = joined.pooled([joined.tokenize(tf.constant(TEXTS[::-1]), 24)], training=False)[0].numpy()
    np.testing.assert_allclose(forwards, backwards[::-1], atol=2e-5)


def test_only_the_first_encoder_trains_and_is_saved(joined: JoinedEncoder) -> None:
    assert [id(v) for v in joined.variables] == [id(v) for v in joined.first.variables]
    assert len(joined.trainable_variables) == len(joined.first.variables) - 1, "all but dropout's counter"
    frozen = list(joined.second.variables)
    with tf.GradientTape() as tape:
        tape.watch([variable for variable in frozen if variable.dtype.is_floating])
        vectors = joined.pooled([joined.tokenize(tf.constant(TEXTS), 24)], training=True)[0]
        loss = tf.reduce_sum(vectors * tf.random.stateless_normal(tf.shape(vectors), [1, 2]))
    trained, kept = tape.gradient(loss, [list(joined.trainable_variables), frozen])
    assert all(gradient is None for gradient in kept)
    assert any(gradient is not None and np.abs(tf.convert_to_tensor(gradient)).max() > 0 for gradient in trained)


def test_trained_alone_the_second_is_not_there(joined: JoinedEncoder) -> None:
    tokens = [joined.tokenize(tf.constant(TEXTS), 24)]
    whole, size = joined.encode(TEXTS, 24), joined.first.hidden_size
    joined.train_alone(True)
    alone = joined.pooled(tokens, training=True)[0].numpy()
    np.testing.assert_allclose(alone[:, :size], whole[:, :size], atol=2e-5)
    assert not alone[:, size:].any() and whole[:, size:].all(axis=1).any()
    np.testing.assert_allclose(joined.pooled(tokens, training=False)[0], whole, atol=2e-5)
    joined.train_alone(False)
    np.testing.assert_allclose(joined.pooled(tokens, training=True)[0], whole, atol=2e-5)


def test_a_catalogue_is_read_by_the_second_encoder_once(joined: JoinedEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogues = [[f"{text} {number}" for number in range(500) for text in ("mug", name)] for name in "abcd"]
    read: list[int] = []
    encode = joined.second.encode
    monkeypatch.setattr(
        joined.second, "encode", lambda texts, *more: (read.append(len(texts)), encode(texts, *more))[1]
    )
    before = joined.encode(catalogues[0], 8)
    words = joined.trainable_variables[0]
    words.assign_add(tf.random.stateless_normal(words.shape, [1, 2]))
    after, size = joined.encode(catalogues[0], 8), joined.first.hidden_size
    assert read == [1000] and np.abs(after - before)[:, :size].max() > 1e-3
    np.testing.assert_array_equal(after[:, size:], before[:, size:])
    assert not np.array_equal(joined.encode(catalogues[0], 3), after) and read == [1000, 1000], "shorter texts"
    for catalogue in catalogues[1:]:
        joined.encode(catalogue, 8)
    assert len(joined._kept) == 3 and len(read) == 5
    np.testing.assert_allclose(joined.encode(catalogues[0], 8), after, atol=1e-6)
    assert len(read) == 6, "the oldest had to go"


def test_what_no_training_changes_is_taken_from_vectors_before(
    joined: JoinedEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["red mug", "leather sofa", "blue lamp"]
    before = joined.encode(texts, 8, role="item")
    words = joined.trainable_variables[0]
    words.assign_add(tf.random.stateless_normal(words.shape, [1, 2]))
    after = joined.encode(texts, 8, role="item")
    assert np.abs(after - before).max() > 1e-3
    joined.keep_unchanged(texts, 8, "item", 0.3 * before)
    monkeypatch.setattr(joined.second, "encode", None)
    np.testing.assert_allclose(joined.encode(texts, 8, role="item"), after, atol=1e-6)
    with pytest.raises(TypeError):
        joined.encode(texts, 8, role="query")


def test_a_saved_first_encoder_joins_again(joined: JoinedEncoder, other: str, tmp_path: Path) -> None:
    for variable in joined.trainable_variables:
        variable.assign(1.1 * variable)
    joined.save(tmp_path / "trained")
    again = load_encoder(config(f"{tmp_path / 'trained'}+{other}"), seed=1)
    again.scale = joined.scale  # found anew from the changed weights
    np.testing.assert_allclose(again.encode(TEXTS, 24), joined.encode(TEXTS, 24), atol=2e-5)
    assert again.fingerprint != joined.fingerprint


def test_encoders_of_one_scale_count_alike(joined: JoinedEncoder) -> None:
    assert JoinedEncoder(joined.first, joined.first).scale == 1.0
    one, two = joined.scale, JoinedEncoder(joined.second, joined.first).scale
    assert one != 1.0 and abs(one * two - 1.0) < 0.1


@pytest.mark.parametrize("name", ["minilm+", "+minilm", "minilm+minilm+minilm"])
def test_a_name_that_joins_no_two_encoders_is_refused(name: str, own_store: Path) -> None:
    with pytest.raises(EncoderError, match="two encoders"):
        load_encoder(EncoderConfig(name=name), seed=1)


def test_adapters_are_the_first_encoder_s(small: str, other: str) -> None:
    settings = config(f"{small}+{other}").model_copy(update={"lora": LoraConfig(rank=2)})
    both = load_encoder(settings, seed=1)
    assert isinstance(both, JoinedEncoder)
    assert {id(v) for v in both.saved_variables} == {
        id(v) for v in [*both.trainable_variables, both.first.dropout_seed]
    }
    assert len(both.unmixed_variables) == len(both.trainable_variables) / 2 == 8
    assert both.second.trainable_variables == []
