"""Two encoders side by side: the first one trains, the second one adds what the first does not know."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.text_encoder import Role, TextEncoder
from tfrec.tensorflow_setup import tf

Tensor = Any
_SECOND = 1 << 24  # added to the second encoder's token numbers, so that one row holds both encoders' tokens
_WIDEST = 8.0
_WORTH_KEEPING, _KEPT = 1000, 3  # texts of a catalogue, and how many such lists (the catalogue, a sample of it)
# Things that have little to do with each other: how far their cosines spread shows an encoder's scale.
_THINGS = (
    "coffee machine", "running shoes", "garden hose", "wedding ring", "phone charger", "baby stroller", "wall clock",
    "guitar strings", "frying pan", "winter jacket", "desk lamp", "dog food", "car battery", "shampoo", "board game",
    "paint brush", "bath towel", "laptop sleeve", "camping tent", "water filter", "leather sofa", "wrench set",
    "green tea", "yoga mat",
)  # fmt: skip


class JoinedEncoder(TextEncoder):
    """The unit vectors of two encoders, one after the other, so that the inner product is the sum of both cosines.

    Encoders that learned from different texts err on different queries, and their sum ranks better than either: a
    second one gains more than a few labels can teach the first. Only the first is trained and kept in checkpoints. The
    second is scaled until the cosines of both spread alike, because some encoders (E5, trained with a low temperature)
    keep all theirs within a few hundredths.

    Args:
        first: the encoder that trains.
        second: the encoder that stays as it is.
    """

    partly_unchanged = True

    def __init__(self, first: TextEncoder, second: TextEncoder) -> None:
        super().__init__(name="joined_encoder")
        self.first, self.second = first, second
        self.precision = first.precision
        self.repeats_dropout, self.dropout_seed = first.repeats_dropout, first.dropout_seed
        self._training_alone = False
        self._kept: dict[tuple[int, int, str], np.ndarray] = {}
        self.hidden_size = first.hidden_size + second.hidden_size
        self.scale = _scale(first, second)
        joined = f"joined\0{first.fingerprint}\0{second.fingerprint}"
        self.fingerprint = hashlib.sha256(joined.encode()).hexdigest()

    @property
    def leading(self) -> TextEncoder:
        return self.first.leading

    @property
    def variables(self) -> list[Any]:  # type: ignore[override]
        """The first encoder's; those of the second never change and are read from its own files."""
        return self.first.variables

    @property
    def trainable_variables(self) -> list[Any]:  # type: ignore[override]
        return self.first.trainable_variables

    @property
    def saved_variables(self) -> list[Any]:
        return self.first.saved_variables

    @property
    def unmixed_variables(self) -> list[Any]:
        return self.first.unmixed_variables

    def tokenize(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        own, other = (encoder.tokenize(texts, max_tokens, role) for encoder in (self.first, self.second))
        return tf.concat([own, other.with_values(other.values + _SECOND)], axis=1)

    def train_alone(self, alone: bool) -> None:
        self._training_alone = alone

    def pooled(self, groups: Sequence[Tensor], training: bool) -> list[Tensor]:
        own = [tf.ragged.boolean_mask(group, group < _SECOND) for group in groups]
        firsts = self.first.pooled(own, training)
        if training and self._training_alone:
            return [self._join(one, tf.zeros([tf.shape(one)[0], self.second.hidden_size])) for one in firsts]
        other = [tf.ragged.boolean_mask(group, group >= _SECOND) for group in groups]
        seconds = self.second.pooled([group.with_values(group.values - _SECOND) for group in other], False)
        return [self._join(one, tf.stop_gradient(two)) for one, two in zip(firsts, seconds, strict=True)]

    def encode(self, texts: Sequence[str], max_tokens: int, description: str = "", role: Role = "") -> np.ndarray:
        own = self.first.encode(texts, max_tokens, description, role)
        return np.concatenate([_unit(own), self._second_part(texts, max_tokens, description, role)], axis=1)

    def _second_part(self, texts: Sequence[str], max_tokens: int, description: str, role: Role) -> np.ndarray:
        """What stays the same from one evaluation of a training to the next: a catalogue's is kept."""
        key = _key(texts, max_tokens, role)
        if (kept := self._kept.get(key)) is not None:
            return kept
        found = self.scale * _unit(self.second.encode(texts, max_tokens, description, role))
        if len(texts) >= _WORTH_KEEPING:
            self._keep(key, found)
        return found

    def keep_unchanged(self, texts: Sequence[str], max_tokens: int, role: Role, before: np.ndarray) -> None:
        self._keep(_key(texts, max_tokens, role), self.scale * _unit(before[:, self.first.hidden_size :]))

    def _keep(self, key: tuple[int, int, str], found: np.ndarray) -> None:
        self._kept = dict([*self._kept.items()][1 - _KEPT :]) | {key: found}

    def inference_function(self, precision: str) -> Callable[..., Tensor]:
        parts = [encoder.inference_function(precision) for encoder in (self.first, self.second)]
        return _JoinedFunction(parts[0], parts[1], self._join)

    def save(self, folder: Path) -> None:
        """Writes the first encoder, the one that training changed; `FOLDER+SECOND` then names both."""
        self.first.save(folder)

    def _join(self, first: Tensor, second: Tensor) -> Tensor:
        return tf.concat([tf.math.l2_normalize(first, 1), self.scale * tf.math.l2_normalize(second, 1)], axis=1)


class _JoinedFunction(tf.Module):  # type: ignore[misc]
    """Callable (texts string [B], max_tokens, role) -> float32 [B, hidden_size] for exports."""

    def __init__(self, first: Any, second: Any, join: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(name="joined_function")
        self._first, self._second, self._join = first, second, join

    def __call__(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        return self._join(self._first(texts, max_tokens, role), self._second(texts, max_tokens, role))


def _scale(first: TextEncoder, second: TextEncoder) -> float:
    """What the second encoder's unit vectors are multiplied by; two digits, so that every machine finds the same."""
    spread = []
    for encoder in (first, second):
        vectors = _unit(encoder.encode(_THINGS, 32, role="item"))
        cosines = (vectors @ vectors.T)[~np.eye(len(_THINGS), dtype=bool)]
        spread.append(max(float(cosines.std()), 1e-6))
    return round(float(np.clip(np.sqrt(spread[0] / spread[1]), 1 / _WIDEST, _WIDEST)), 1)


def _key(texts: Sequence[str], max_tokens: int, role: str) -> tuple[int, int, str]:
    return hash(tuple(texts)), max_tokens, role


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
