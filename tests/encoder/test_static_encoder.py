"""Static encoders: the mean of their pieces' vectors, out of the folders that their makers write."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.install import install
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf
from tfrec.testing import EncoderContract
from tfrec.training.optimizer import AdamW

LETTERS = [*string.ascii_lowercase, *string.digits]
PIECES = ["[PAD]", "[UNK]", "red", "sofa", "mug", *LETTERS, *(f"##{letter}" for letter in LETTERS), "女", "装", "'"]
ROWS, SIZE = 40, 8  # vectors, which several pieces share by the mapping


def write_static(folder: Path, **parts: np.ndarray) -> dict[str, np.ndarray]:
    """A folder as Model2Vec writes it, its vocabulary without [CLS], [SEP] and [MASK]; gives its tensors."""
    from safetensors.numpy import save_file

    generator = np.random.default_rng(4)
    tensors = {
        "embeddings": generator.normal(size=(ROWS, SIZE)).astype(np.float16),
        "weights": generator.uniform(0.1, 2.0, len(PIECES)),
        "mapping": generator.integers(0, ROWS, len(PIECES)),
    } | parts
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    tokenizer = {
        "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {piece: n for n, piece in enumerate(PIECES)}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("model2vec") / "potion"
    return folder, write_static(folder)


@pytest.fixture(scope="module")
def installed(folder: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(tmp_path_factory.mktemp("home")))
        return str(install(str(folder[0])).folder)


class TestStatic(EncoderContract):
    tolerance = 1e-5

    @pytest.fixture(scope="class")
    def encoder(self, installed: str) -> TextEncoder:
        return load_encoder(EncoderConfig(name=installed, freeze="none"), seed=1)


def test_vectors_are_the_weighted_mean_of_known_pieces(folder: tuple[Path, Any], installed: str) -> None:
    _, tensors = folder
    encoder = load_encoder(EncoderConfig(name=installed), seed=1)
    texts = {"red sofas": ["red", "sofa", "##s"], "Mug ☃ a": ["mug", "a"], "☃": [], "": []}
    for text, pieces in texts.items():
        ids = [PIECES.index(piece) for piece in pieces]
        vectors = tensors["embeddings"][tensors["mapping"][ids]] * tensors["weights"][ids][:, None]
        expected = vectors.mean(0) if ids else np.zeros(SIZE)
        np.testing.assert_allclose(encoder.encode([text], 16)[0], expected, atol=1e-6, err_msg=text)
    assert encoder.trainable_variables == [] == encoder.saved_variables, "the embeddings are frozen by default"


def test_its_table_trains_by_rows_and_is_saved(installed: str, tmp_path: Path) -> None:
    encoder = load_encoder(EncoderConfig(name=installed, freeze="none"), seed=1)
    (table,) = encoder.trainable_variables
    before, optimizer = table.numpy(), AdamW([([table], 0.1)], 0.0, 1.0)
    tokens = encoder.tokenize(tf.constant(["red sofas", "red ☃"]), 16)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder.pooled([tokens], training=True)[0] ** 2)
    gradients = tape.gradient(loss, [table])
    assert isinstance(gradients[0], tf.IndexedSlices), "a large table is updated where it was read"
    optimizer.apply(gradients, tf.constant(1.0), tf.constant(0, tf.int64))
    changed = np.flatnonzero(np.abs(table.numpy() - before).max(axis=1) > 1e-3)
    assert changed.tolist() == sorted(PIECES.index(piece) for piece in ("red", "sofa", "##s"))
    encoder.save(tmp_path / "tuned")
    again = load_encoder(EncoderConfig(name=str(tmp_path / "tuned")), seed=1)
    np.testing.assert_array_equal(again.encode(["red sofas"], 16), encoder.encode(["red sofas"], 16))
    assert again.fingerprint != encoder.fingerprint


def test_what_has_no_transformer_takes_none_of_its_settings(installed: str) -> None:
    for settings, told in (({"lora": {"rank": 2}}, "encoder.lora"), ({"pooling": "cls"}, "encoder.pooling=cls")):
        with pytest.raises(EncoderError, match=f"static encoder.*{told}"):
            load_encoder(EncoderConfig(name=installed, **settings), seed=1)


@pytest.mark.parametrize(
    "parts, message",
    [
        ({"mapping": np.full(len(PIECES), ROWS)}, "do not fit its embeddings"),
        ({"weights": np.ones(3)}, "do not fit its embeddings"),
        ({"embeddings": np.zeros(ROWS)}, "no table of embeddings"),
        ({"mapping": np.zeros(9, np.int64), "weights": np.ones(9)}, "holds 9 vectors, but tokenizer.json has"),
    ],
)
def test_tables_that_do_not_fit_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: dict[str, np.ndarray], message: str
) -> None:
    monkeypatch.setenv("TFREC_HOME", str(tmp_path / "home"))
    write_static(tmp_path / "bad", **parts)
    with pytest.raises(EncoderError, match=message):
        install(str(tmp_path / "bad"))
