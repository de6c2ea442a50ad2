"""Two encoders behind one face: a small one reads queries, a large one everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.encoder.bulk import encode_sorted
from tfrec.encoder.inference import compute_type
from tfrec.encoder.student_bodies import CutLayers, MeanOfPieces
from tfrec.encoder.text_encoder import Role, TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.config.query_student import QueryStudentConfig

Tensor = Any
_QUERY: Role = "query"
_RIDGE = 1e-3


class QueryStudent(TextEncoder):
    """An encoder whose queries are read by a small one that was made from it (asymmetric dual encoders, as
    KALE, Campos et al. 2023, arXiv 2304.01016).

    All that is not a query goes to the large one, and so does all that training and checkpoints ask for: towers are
    trained before, and what they learned is what the small one learns from. A linear map at its end takes its vectors
    to the width of the large one's, so the large one may join several encoders.

    Args:
        teacher: the large encoder, as trained.
        config: which kind.
        seed: of start values.

    Raises:
        EncoderError: the large encoder is not made of layers, or has no more of them than asked for.
    """

    def __init__(self, teacher: TextEncoder, config: QueryStudentConfig, seed: int) -> None:
        super().__init__(name="query_student")
        self._teacher, transformer = teacher, teacher.leading.transformer
        if transformer is None:
            raise EncoderError(
                "encoder.query_student is cut from a transformer that was installed (`tfrec encoder install`), and "
                "encoder.name is a static encoder, a TF-Hub handle or a package's own: set query_student.kind=none."
            )
        self.hidden_size, self.fingerprint = teacher.hidden_size, teacher.fingerprint
        self.precision, self.dropout_seed = teacher.precision, teacher.dropout_seed
        self.repeats_dropout = teacher.repeats_dropout
        if config.kind == "layers":
            self._body: CutLayers | MeanOfPieces = CutLayers(transformer, config.layers)
        else:
            first, last = teacher.leading.tokenize(tf.constant([""]), 2).flat_values.numpy()
            self._body = MeanOfPieces(transformer, (int(first), int(last)), seed)
        self._kernel = tf.Variable(tf.zeros([self._body.size, self.hidden_size]), name="head/kernel")
        self._bias = tf.Variable(tf.zeros([self.hidden_size]), name="head/bias")
        like = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
        self._encode_batch = tf.function(self.vectors, like, autograph=False)

    @property
    def teacher(self) -> TextEncoder:
        return self._teacher

    @property
    def leading(self) -> TextEncoder:
        return self._teacher.leading

    @property
    def variables(self) -> list[Any]:  # type: ignore[override]
        return self._teacher.variables

    @property
    def trainable_variables(self) -> list[Any]:  # type: ignore[override]
        return self._teacher.trainable_variables

    @property
    def saved_variables(self) -> list[Any]:
        return self._teacher.saved_variables

    @property
    def has_layers(self) -> bool:
        """Whether the small encoder is a transformer."""
        return isinstance(self._body, CutLayers)

    @property
    def own_variables(self) -> list[Any]:
        """What the small encoder learns."""
        return [*self._body.variables.values(), self._kernel, self._bias]

    def tokenize(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        encoder = self.leading if role == _QUERY else self._teacher
        return encoder.tokenize(texts, max_tokens, role)

    def vectors(self, word_ids: Tensor, lengths: Tensor) -> Tensor:
        """The small encoder's vectors float32 [B, hidden_size] of padded tokens int32 [B, T]; differentiable."""
        return self._headed(self._body(self._body.ready(self.precision), word_ids, lengths, self.precision))

    def _headed(self, found: Tensor) -> Tensor:
        return tf.ensure_shape(tf.nn.bias_add(tf.matmul(found, self._kernel), self._bias), [None, self.hidden_size])

    def begin(self, texts: Sequence[str], targets: np.ndarray, max_tokens: int) -> None:
        """Sets the linear map at the end to the best there is before any training (ridge regression).

        Args:
            texts: queries, N of them.
            targets: the large encoder's vectors of them, float32 [N, hidden_size].
            max_tokens: see `tokenize`.
        """
        self._kernel.assign(tf.eye(*self._kernel.shape))
        self._bias.assign(tf.zeros_like(self._bias))
        found = self.encode(texts, max_tokens, role=_QUERY)[:, : self._body.size].astype(np.float64)
        mean, aim = found.mean(axis=0), targets.mean(axis=0)
        centred = found - mean
        products = centred.T @ centred
        products += _RIDGE * float(np.trace(products)) / len(products) * np.eye(len(products))
        kernel = np.linalg.solve(products, centred.T @ (targets - aim))
        self._kernel.assign(kernel)
        self._bias.assign(aim - mean @ kernel)

    def pooled(self, groups: Sequence[Tensor], training: bool) -> list[Tensor]:
        return self._teacher.pooled(groups, training)

    def encode(self, texts: Sequence[str], max_tokens: int, description: str = "", role: Role = "") -> np.ndarray:
        if role != _QUERY:
            return self._teacher.encode(texts, max_tokens, description, role)
        return encode_sorted(
            texts, lambda some: self.tokenize(some, max_tokens, role), self._encode_batch, self.hidden_size, description
        )

    def inference_function(self, precision: str) -> Callable[..., Tensor]:
        return _FrozenStudent(self, precision)

    def save(self, folder: Path) -> None:
        """Writes the large encoder."""
        self._teacher.save(folder)


class _FrozenStudent(tf.Module):  # type: ignore[misc]
    """Callable (texts string [B], max_tokens, role) -> float32 [B, hidden_size] for exports; see FrozenEncoder."""

    def __init__(self, encoder: QueryStudent, precision: str) -> None:
        super().__init__(name="frozen_student")
        self._others = encoder.teacher.inference_function(
            precision
        )  # its preprocessor goes along, and is the small one's
        self._tokenize = encoder.tokenize
        body = encoder._body
        values = {name: value.numpy() for name, value in body.ready(precision).items()}
        rows = tf.cast(values.pop(body.table), compute_type(precision))
        table = self._table = tf.Variable(rows, trainable=False, name="query_word_embeddings")
        kernel, bias = encoder._kernel.numpy(), encoder._bias.numpy()

        @tf.function(
            input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)], autograph=False
        )
        def vectors(word_ids: Tensor, lengths: Tensor) -> Tensor:
            held = {body.table: table, **{name: tf.constant(value) for name, value in values.items()}}
            found = tf.matmul(body(held, word_ids, lengths, precision), tf.constant(kernel))
            return tf.ensure_shape(tf.nn.bias_add(found, tf.constant(bias)), [None, encoder.hidden_size])

        self._vectors = vectors

    def __call__(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        if role != _QUERY:
            return self._others(texts, max_tokens, role)
        tokens = self._tokenize(texts, max_tokens, role)
        return self._vectors(tokens.to_tensor(), tf.cast(tokens.row_lengths(), tf.int32))
