"""An encoder whose tokenizer reads a vocabulary file, as many TF-Hub preprocessors do, goes whole into an export."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np


def save_preprocessor(folder: Path) -> None:
    from tfrec.tensorflow_setup import tf

    vocabulary = folder.with_suffix(".txt")
    vocabulary.write_text("red\nblue\nsofa\nlamp\n")
    module = tf.Module()
    lines = tf.lookup.TextFileInitializer(
        str(vocabulary), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    module.table = tf.lookup.StaticHashTable(lines, -1)
    spec = [tf.TensorSpec([None], tf.string)]
    module.tokenize = tf.function(lambda texts: module.table.lookup(texts), input_signature=spec, autograph=False)
    tf.saved_model.save(module, str(folder))
    vocabulary.unlink()  # the SavedModel has its own copy


def test_tables_and_their_files_are_exported(trained: Any, tmp_path: Path) -> None:
    from tfrec.export.ops import check_ops
    from tfrec.export.serving_module import ServingModule
    from tfrec.export.signatures import serving_signatures
    from tfrec.tensorflow_setup import tf

    save_preprocessor(tmp_path / "preprocessor")
    hidden = trained.model.encoder.hidden_size

    class WordEncoder(tf.Module):
        """One direction for each word of the vocabulary."""

        def __init__(self) -> None:
            super().__init__()
            self._preprocessor = tf.saved_model.load(str(tmp_path / "preprocessor"))

        def __call__(self, texts: Any, max_tokens: int, role: str = "") -> Any:
            return tf.one_hot(self._preprocessor.tokenize(texts), hidden)

    encode = WordEncoder()
    module = ServingModule(trained.model, encode, trained.shop.item_ids, trained.catalogue)
    signatures = serving_signatures(module, trained.model, encode)
    tf.saved_model.save(module, str(tmp_path / "export"), signatures=signatures)
    check_ops(tmp_path / "export")
    shutil.rmtree(tmp_path / "preprocessor")

    loaded = tf.saved_model.load(str(tmp_path / "export"))
    words = tf.constant(["blue", "lamp", "blue"])
    found = loaded.signatures["embed_item"](text=words)["vectors"].numpy()
    expected = trained.model.item_tower(tf.one_hot([1, 3, 1], hidden), tf.constant([-1, -1, -1]))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 1e-2
