"""What holds for every text encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfrec.encoder.text_encoder import TextEncoder
from tfrec.tensorflow_setup import tf

TEXTS = ["red leather sofa", "sofa", "", "women's running shoes size 40", "女装 连衣裙", "x" * 300]
_TOKENS = 12


class EncoderContract:
    """Subclass it and give the fixture `encoder`.

    Attributes:
        tolerance: how far a text's unit vector may move with batch, pass and saving; bf16 needs about 2e-2.
    """

    tolerance: float = 2e-2

    @pytest.fixture(scope="class")
    def encoder(self) -> TextEncoder:
        """The encoder under test."""
        raise NotImplementedError("give the fixture `encoder`")

    @pytest.fixture(scope="class")
    def vectors(self, encoder: TextEncoder) -> np.ndarray:
        """Its vectors of TEXTS."""
        return encoder.encode(TEXTS, _TOKENS)

    def test_a_finite_vector_for_every_text(self, encoder: TextEncoder, vectors: np.ndarray) -> None:
        assert vectors.shape == (len(TEXTS), encoder.hidden_size) and vectors.dtype == np.float32
        assert np.isfinite(vectors).all() and encoder.fingerprint and encoder.precision in ("bf16", "f32")
        assert encoder.encode([], _TOKENS).shape == (0, encoder.hidden_size)

    def test_texts_have_no_more_tokens_than_asked_for(self, encoder: TextEncoder) -> None:
        tokens = encoder.tokenize(tf.constant(TEXTS), _TOKENS)
        assert tokens.dtype == tf.int32 and tokens.shape.rank == 2
        lengths = tokens.row_lengths().numpy()
        assert lengths.min() >= 2 and lengths.max() == _TOKENS

    def test_texts_do_not_touch_each_other(self, encoder: TextEncoder, vectors: np.ndarray) -> None:
        for row, text in enumerate(TEXTS):
            self._alike(encoder.encode([text], _TOKENS), vectors[row : row + 1])
        self._alike(encoder.encode(TEXTS[::-1], _TOKENS)[::-1], vectors)

    def test_training_sees_the_same_vectors(self, encoder: TextEncoder, vectors: np.ndarray) -> None:
        groups = [encoder.tokenize(tf.constant(part), _TOKENS) for part in (TEXTS[:2], TEXTS[2:])]
        first, second = encoder.pooled(groups, training=False)
        self._alike(np.concatenate([first.numpy(), second.numpy()]), vectors)

    def test_training_reaches_its_weights(self, encoder: TextEncoder) -> None:
        every = {id(variable) for variable in encoder.variables}
        trained = encoder.trainable_variables
        assert {id(variable) for variable in trained} <= every
        if trained:
            with tf.GradientTape() as tape:
                (found,) = encoder.pooled([encoder.tokenize(tf.constant(TEXTS), _TOKENS)], training=True)
                loss = tf.reduce_sum(found * found[:, ::-1])
            assert any(gradient is not None for gradient in tape.gradient(loss, trained))

    def test_serving_sees_the_same_vectors(self, encoder: TextEncoder, vectors: np.ndarray, tmp_path: Path) -> None:
        from tfrec.export.ops import check_ops

        module = tf.Module()
        module.encode = encode = encoder.inference_function("f32")
        served = tf.function(
            lambda text: {"vectors": encode(text, _TOKENS)}, [tf.TensorSpec([None], tf.string, "text")], autograph=False
        )
        tf.saved_model.save(module, str(tmp_path), signatures=served.get_concrete_function())
        check_ops(tmp_path)
        loaded = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
        self._alike(loaded(text=tf.constant(TEXTS))["vectors"].numpy(), vectors)

    def _alike(self, found: np.ndarray, expected: np.ndarray) -> None:
        np.testing.assert_allclose(_unit(found), _unit(expected), atol=self.tolerance)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
