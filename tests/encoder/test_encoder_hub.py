"""Encoders that are not ours: a tiny one in the style of TF-Hub, with a lookup table and its own variable names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "sofa", "mug", "leather"]
TEXTS = ["red sofa", "", "blue leather mug unknown", "red"]


class ForeignPreprocessor(tf.Module):
    """Whole words by a lookup table read from a file, always 16 tokens; neither tokenize nor bert_pack_inputs."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        file.write_text("\n".join(WORDS) + "\n", "utf-8")
        initializer = tf.lookup.TextFileInitializer(
            str(file), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        )
        self.table = tf.lookup.StaticHashTable(initializer, 1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts: Any) -> dict[str, Any]:
        words = tf.strings.split(texts)[:, :14]
        ids = tf.cast(words.with_flat_values(self.table.lookup(words.flat_values)), tf.int32)
        ends = tf.ones([ids.nrows(), 1], tf.int32)
        word_ids = tf.concat([2 * ends, ids, 3 * ends], 1).to_tensor(shape=[None, 16])
        mask = tf.cast(word_ids > 0, tf.int32)
        return {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": tf.zeros_like(word_ids)}


class ForeignEncoder(tf.__internal__.tracking.AutoTrackable):  # type: ignore[misc]
    """Embeddings and two dense "layers" that see the mean of the unmasked tokens."""

    def __init__(self) -> None:
        super().__init__()
        generator = np.random.default_rng(0)
        shapes = {
            "word_embeddings/embeddings": (9, 6),
            "transformer/layer_0/kernel": (6, 6),
            "transformer/layer_1/kernel": (6, 6),
        }
        self.variables = [
            tf.Variable(generator.normal(size=shape), name=name, dtype=tf.float32) for name, shape in shapes.items()
        ]
        self.trainable_variables, self.regularization_losses = list(self.variables), []

    @tf.function
    def __call__(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        mask = tf.cast(inputs["input_mask"], tf.float32)[..., tf.newaxis]
        x = (
            tf.gather(self.variables[0], inputs["input_word_ids"])
            + tf.cast(inputs["input_type_ids"], tf.float32)[..., None]
        )
        for kernel in self.variables[1:]:
            context = tf.reduce_sum(x * mask, 1, keepdims=True) / tf.reduce_sum(mask, 1, keepdims=True)
            x = tf.tanh(tf.einsum("bth,hk->btk", x + context, kernel))
        if training:
            x = tf.nn.dropout(x, 0.1)
        return {"sequence_output": x, "pooled_output": x[:, 0], "default": x[:, 0]}


@pytest.fixture(scope="module")
def handles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("foreign")
    encoder, names = ForeignEncoder(), ("input_word_ids", "input_mask", "input_type_ids")
    spec = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}
    for training in (False, True):
        encoder.__call__.get_concrete_function(spec, training=training)
    tf.saved_model.save(encoder, str(folder / "encoder"))
    tf.saved_model.save(ForeignPreprocessor(folder / "words.txt"), str(folder / "preprocessor"))
    (folder / "words.txt").unlink()
    return {"name": str(folder / "encoder"), "preprocessor": str(folder / "preprocessor")}


@pytest.fixture(scope="module")
def encoder(handles: dict[str, str]) -> TextEncoder:
    return load_encoder(EncoderConfig(**handles), seed=1)


def expected_vectors() -> np.ndarray:
    generator = np.random.default_rng(0)
    table, *kernels = (generator.normal(size=shape).astype(np.float32) for shape in ((9, 6), (6, 6), (6, 6)))
    vectors = []
    for text in TEXTS:
        ids = [2, *(WORDS.index(word) if word in WORDS else 1 for word in text.split()), 3]
        x = table[ids]
        for kernel in kernels:
            x = np.tanh((x + x.mean(0)) @ kernel)
        vectors.append(x.mean(0))
    return np.array(vectors)


def test_vectors_are_the_mean_over_the_real_tokens(encoder: TextEncoder) -> None:
    expected = expected_vectors()
    assert encoder.hidden_size == 6
    tokens = encoder.tokenize(tf.constant(TEXTS), 12)
    assert tokens.row_lengths().numpy().tolist() == [4, 2, 6, 3]
    first, second = encoder.pooled([tokens[:1], tokens[1:]], training=False)
    np.testing.assert_allclose(np.concatenate([first, second]), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS, 12), expected, atol=1e-5)


def test_texts_are_cut_with_their_end_mark(encoder: TextEncoder) -> None:
    assert encoder.tokenize(tf.constant(["red red blue blue", ""]), 4).to_list() == [[2, 4, 4, 3], [2, 3]]


def test_all_weights_train_and_freezing_holds(handles: dict[str, str], encoder: TextEncoder) -> None:
    assert [v.name for v in encoder.trainable_variables] == [
        "transformer/layer_0/kernel:0",
        "transformer/layer_1/kernel:0",
    ]
    top = load_encoder(EncoderConfig(**handles, freeze="top:1"), seed=1)
    assert [v.name for v in top.trainable_variables] == ["transformer/layer_1/kernel:0"] and len(top.variables) == 3
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder.pooled([encoder.tokenize(tf.constant(TEXTS), 12)], training=True)[0] ** 2)
    assert all(np.abs(g).max() > 0 for g in tape.gradient(loss, encoder.trainable_variables))


def test_a_handle_takes_no_adapters(handles: dict[str, str]) -> None:
    with pytest.raises(EncoderError, match="encoder.lora needs an installed encoder"):
        load_encoder(EncoderConfig(**handles, lora={"rank": 2}), seed=1)


@pytest.mark.parametrize("precision, tolerance", [("f32", 1e-5), ("bf16", 0.03)])
def test_it_exports_with_constants_and_its_table(
    encoder: TextEncoder, tmp_path: Path, precision: str, tolerance: float
) -> None:
    export = tf.Module()
    export.encode_texts = encoder.inference_function(precision)
    signature = tf.function(lambda texts: {"vectors": export.encode_texts(texts, 12)})
    concrete = signature.get_concrete_function(tf.TensorSpec([None], tf.string))
    tf.saved_model.save(export, str(tmp_path / "export"), {"serving_default": concrete})
    loaded = tf.saved_model.load(str(tmp_path / "export"))
    assert not loaded.signatures["serving_default"].variables
    found = loaded.signatures["serving_default"](tf.constant(TEXTS))["vectors"].numpy()
    np.testing.assert_allclose(found, encoder.encode(TEXTS, 12), atol=tolerance)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"name": "no-such-encoder"}, "needs encoder.preprocessor"),
        ({"name": "no-such-encoder", "preprocessor": "x"}, "no encoder named 'no-such-encoder'"),
        (
            {"name": "http://127.0.0.1:9/encoder/1", "preprocessor": "x"},
            "cannot be loaded .*check the handle and the network",
        ),
    ],
)
def test_unreachable_encoders_give_one_sentence(own_store: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(EncoderError, match=message) as caught:
        load_encoder(EncoderConfig(**settings), seed=1)
    assert "\n" not in str(caught.value)


def test_wrong_folders_give_one_sentence(handles: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="tfrec encoder install"):
        load_encoder(EncoderConfig(name=str(tmp_path), preprocessor=handles["preprocessor"]), seed=1)
    with pytest.raises(EncoderError, match="not a TF-Hub BERT preprocessor"):
        load_encoder(EncoderConfig(name=handles["name"], preprocessor=handles["name"]), seed=1)
