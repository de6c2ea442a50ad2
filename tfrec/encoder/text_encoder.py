"""The one face of every text encoder: tokens in, vectors out, differentiable, packed where the encoder allows it."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.encoder.inference import Transformer

Tensor = Any
Role = Literal["", "query", "item"]


class TextEncoder(tf.Module, abc.ABC):  # type: ignore[misc]
    """A text encoder with trainable weights; `tfrec.encoder.loading.load_encoder` picks the right kind.

    Attributes:
        hidden_size: width of the vectors.
        fingerprint: sha256 hex of what the encoder was made from; changes when the pretrained weights differ.
        precision: "bf16" or "f32", the compute type of training and bulk encoding.
        repeats_dropout: whether a pass is repeated exactly when dropout_seed is set back.
        dropout_seed: int32 variable that the dropout of the next training pass follows from; None where there is none.
        partly_unchanged: whether a part of its vectors stays as it is whatever is trained (see keep_unchanged).
    """

    hidden_size: int
    fingerprint: str
    precision: str
    repeats_dropout: bool = True
    dropout_seed: Any = None
    partly_unchanged: bool = False

    @property
    def leading(self) -> TextEncoder:
        """The encoder whose word pieces stand for this one's: itself, unless it joins several."""
        return self

    @property
    def teacher(self) -> TextEncoder:
        """The encoder of items and of all that training asks for: itself, unless a small one reads queries for it."""
        return self

    @property
    def transformer(self) -> Transformer | None:
        """Its weights as they act now, as `inference.text_vectors` reads them; None for what is no such encoder."""
        return None

    def train_alone(self, alone: bool) -> None:  # noqa: B027  most encoders have nothing beside them
        """Whether training may leave out what the encoder has beside its trained part, as if it were not there.

        It costs more than the trained part, and cosines of texts do not miss it; vectors of a catalogue that a history
        is compared with do.
        """

    def keep_unchanged(self, texts: Sequence[str], max_tokens: int, role: Role, before: np.ndarray) -> None:  # noqa: B027
        """Takes over, of vectors float32 [N, hidden_size] of these texts before any training, what no training changes:
        the next `encode` of the same texts need not find it again. Any positive multiple of a vector will do."""

    @property
    @abc.abstractmethod
    def variables(self) -> list[Any]:  # type: ignore[override]
        """All weights, frozen ones too."""

    @property
    @abc.abstractmethod
    def trainable_variables(self) -> list[Any]:  # type: ignore[override]
        """The weights that training may change."""

    @property
    def saved_variables(self) -> list[Any]:
        """What a checkpoint holds: all variables, unless some follow from what was installed."""
        return self.variables

    @property
    def unmixed_variables(self) -> list[Any]:
        """Trainable variables that a mixture with the present weights leaves as training makes them."""
        return []

    @abc.abstractmethod
    def tokenize(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        """Word pieces between the encoder's start and end marks; works inside tf.data and inside a SavedModel.

        Args:
            texts: string [B].
            max_tokens: greatest number of tokens of a text, marks included; at least 2. The prompt comes on top.
            role: what the texts are; the encoder's prompt for it is put before them. "" puts none.

        Returns:
            RaggedTensor int32 [B, None], 2 to `max_tokens` tokens and the prompt's each.
        """

    @abc.abstractmethod
    def pooled(self, groups: Sequence[Tensor], training: bool) -> list[Tensor]:
        """Text vectors of several groups in one pass over all their tokens; differentiable.

        Args:
            groups: RaggedTensors int32 [B_g, None] from `tokenize`.
            training: whether dropout is on.

        Returns:
            float32 [B_g, hidden_size] for each group, not normalised.
        """

    @abc.abstractmethod
    def encode(self, texts: Sequence[str], max_tokens: int, description: str = "", role: Role = "") -> np.ndarray:
        """Text vectors of many texts with the current weights, without dropout.

        Args:
            texts: the texts.
            max_tokens: greatest number of tokens of a text, marks included.
            description: shown with the progress; empty shows none.
            role: see `tokenize`.

        Returns:
            float32 [N, hidden_size], not normalised.
        """

    @abc.abstractmethod
    def inference_function(self, precision: str) -> Callable[..., Tensor]:
        """A graph function with the current weights as constants, made of ops that stock TensorFlow Serving has.

        Args:
            precision: "bf16" or "f32", the type of the constants and of the matrix products.

        Returns:
            A trackable callable (texts string [B], max_tokens, role="") -> float32 [B, hidden_size]; keep it as an
            attribute of the object that is exported.
        """

    @abc.abstractmethod
    def save(self, folder: Path) -> None:
        """Writes the encoder with its current weights as a folder that `encoder.name` may point to."""
