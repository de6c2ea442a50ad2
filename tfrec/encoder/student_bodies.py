"""What a query student is made of: the first layers of a large encoder, or one vector per piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.encoder.inference import Transformer, inference_weights, text_vectors
from tfrec.encoder.sizes import weight_shapes
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

Tensor = Any
_PIECES_AT_ONCE = 4096


class CutLayers:
    """The first layers of a transformer, with its embeddings, which stay as they are.

    Args:
        teacher: what they are cut from; later changes of its weights have no effect.
        layers: how many.

    Raises:
        EncoderError: it has not so many.

    Attributes:
        table: name of the variable of which only rows are gathered.
    """

    table = "embeddings/word"

    def __init__(self, teacher: Transformer, layers: int) -> None:
        if layers >= teacher.sizes.layers:
            raise EncoderError(
                f"encoder.query_student.layers={layers} is no less than the {teacher.sizes.layers} layers of the "
                "encoder itself: set a smaller number, or kind=static."
            )
        self._sizes, self._pooling = dataclasses.replace(teacher.sizes, layers=layers), teacher.pooling
        self.size = teacher.sizes.hidden
        held = {name: teacher.weights[name] for name in weight_shapes(self._sizes)}
        self._embeddings = {name: value for name, value in held.items() if name.startswith("embeddings/")}
        others = held.keys() - self._embeddings.keys()
        self.variables = {name: tf.Variable(held[name], name=name) for name in held if name in others}
        self._cast: dict[str, dict[str, Tensor]] = {}

    def ready(self, precision: str) -> dict[str, Tensor]:
        """The weights as `__call__` takes them, the embeddings cast once for all steps of a training."""
        if precision not in self._cast:
            with tf.init_scope():
                self._cast[precision] = _cast(self._embeddings, precision)
        return self._cast[precision] | _cast(self.variables, precision)

    def __call__(self, weights: Mapping[str, Tensor], word_ids: Tensor, lengths: Tensor, precision: str) -> Tensor:
        """Vectors float32 [B, size] of padded tokens int32 [B, T]; differentiable, of stock ops."""
        held = [weights[name] for name in weight_shapes(self._sizes)]
        return text_vectors(held, self._sizes, word_ids, lengths, self._pooling, precision)


class MeanOfPieces:
    """A weighted mean of one vector per piece, each beginning as the large encoder's of that piece alone (Model2Vec,
    Tulkens and van Dongen 2024), and a layer that adds what a sum cannot say.

    Args:
        teacher: gives the vectors.
        marks: its start and end mark.
        seed: of the layer's start values.
    """

    table = "pieces/vectors"

    def __init__(self, teacher: Transformer, marks: tuple[int, int], seed: int) -> None:
        self.size = hidden = teacher.sizes.hidden
        start = tf.random.stateless_normal([hidden, 2 * hidden], [seed, 1], stddev=hidden**-0.5)
        values = {
            self.table: _alone(teacher, marks),
            "pieces/weights": np.zeros([teacher.sizes.vocabulary], np.float32),
            "inner/kernel": start,
            "inner/bias": np.zeros([2 * hidden], np.float32),
            "outer/kernel": np.zeros([2 * hidden, hidden], np.float32),
        }
        self.variables = {name: tf.Variable(value, name=name) for name, value in values.items()}

    def ready(self, precision: str) -> dict[str, Tensor]:
        """The weights as `__call__` takes them, whatever the precision of matrix products: there are next to none."""
        return dict(self.variables)

    def __call__(self, weights: Mapping[str, Tensor], word_ids: Tensor, lengths: Tensor, precision: str) -> Tensor:
        """Vectors float32 [B, size] of padded tokens int32 [B, T]; differentiable, of stock ops."""
        inside = tf.sequence_mask(lengths, tf.shape(word_ids)[1])
        logits = tf.where(inside, tf.gather(weights["pieces/weights"], word_ids), -1e9)
        found = tf.cast(tf.gather(weights[self.table], word_ids), tf.float32)
        mean = tf.squeeze(tf.matmul(tf.nn.softmax(logits)[:, tf.newaxis], found), axis=1)
        inner = tf.nn.gelu(tf.nn.bias_add(tf.matmul(mean, weights["inner/kernel"]), weights["inner/bias"]))
        return mean + tf.matmul(inner, weights["outer/kernel"])


def _cast(weights: Mapping[str, Tensor], precision: str) -> dict[str, Tensor]:
    return dict(zip(weights, inference_weights(weights, precision), strict=True))


def _alone(teacher: Transformer, marks: tuple[int, int]) -> np.ndarray:
    """The vector of every piece between the marks: float32 [V, hidden], of length 1."""
    weights, found = inference_weights(teacher.weights, "f32"), []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def vectors(pieces: Tensor) -> Tensor:
        words = tf.stack([tf.fill(tf.shape(pieces), marks[0]), pieces, tf.fill(tf.shape(pieces), marks[1])], axis=1)
        lengths = tf.fill(tf.shape(pieces), 3)
        return tf.math.l2_normalize(text_vectors(weights, teacher.sizes, words, lengths, teacher.pooling, "f32"), 1)

    for first in range(0, teacher.sizes.vocabulary, _PIECES_AT_ONCE):
        last = min(first + _PIECES_AT_ONCE, teacher.sizes.vocabulary)
        found.append(vectors(tf.range(first, last)).numpy())
    return np.concatenate(found)
