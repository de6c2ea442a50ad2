"""A trained ranker: candidates to scores."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.ranking.candidates import Candidates, spread_of, standard
from tfrec.ranking.features.feature import Feature, names_of
from tfrec.ranking.models import LARGEST, attributed, new_model
from tfrec.tensorflow_setup import tf

Tensor = Any


@dataclass(frozen=True)
class Learned:
    """What training leaves.

    Attributes:
        kind: see new_model.
        names: F names of features.
        mean, spread: float32 [F], of the features over the candidates of training.
        scales: float32 [M], what a standard deviation of the fused score counts beside each model's correction.
        weights: the weights of M models, as Keras lists them.
    """

    kind: str
    names: list[str]
    mean: np.ndarray
    spread: np.ndarray
    scales: np.ndarray
    weights: list[list[np.ndarray]]

    @property
    def checksum(self) -> str:
        """sha256 (hex) of all that was learned."""
        digest = hashlib.sha256("\n".join([self.kind, *self.names]).encode())
        for values in (self.mean, self.spread, self.scales, *(w for model in self.weights for w in model)):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


class Ranker(tf.Module):  # type: ignore[misc]
    """The mean of several models over features of candidates.

    Args:
        features: what it looks at.
        learned: made with features of the same names.
    """

    def __init__(self, features: Sequence[Feature], learned: Learned) -> None:
        super().__init__(name="ranker")
        self.features, self.checksum = list(features), learned.checksum
        self._mean, self._spread = (np.asarray(part, np.float32) for part in (learned.mean, learned.spread))
        models = [new_model(learned.kind, len(learned.names), 0.0) for _ in learned.weights]
        for model, weights in zip(models, learned.weights, strict=True):
            model.set_weights(weights)
        # Of the models only their variables are tracked: a SavedModel would keep functions for training them.
        self._weights = [variable for model in models for variable in model.variables]
        self._correct = lambda inputs: tf.add_n([model(inputs) for model in models]) / len(models)
        self._attributed = lambda inputs: tf.add_n([attributed(model, inputs) for model in models]) / len(models)
        self._scale = float(np.mean(learned.scales))

    def __call__(self, candidates: Candidates) -> Tensor:
        """What each candidate gains or loses, float32 [B, K], in the units of the fused scores; 0 in empty places."""
        return self.corrected(self.inputs(candidates), candidates)

    def corrected(self, inputs: Tensor, candidates: Candidates) -> Tensor:
        """What candidates with these `inputs` gain or lose, float32 [B, K]."""
        return self._in_units(self._correct(inputs), candidates)

    def of_groups(self, candidates: Candidates) -> dict[str, Tensor]:
        """What each group of features adds, float32 [B, K]: see `attributed`. Their sum is all but what every candidate
        of a request gets alike."""
        every, found, first = self._attributed(self.inputs(candidates)), {}, 0
        for feature in self.features:
            inside = slice(first, first + len(feature.names))
            found[feature.group] = self._in_units(tf.reduce_sum(every[:, :, inside], axis=2), candidates)
            first = inside.stop
        return found

    def inputs(self, candidates: Candidates) -> Tensor:
        """Features as the models read them, float32 [B, K, F]: 0 is what the mean candidate of training had."""
        return standardised(all_of(self.features, candidates), self._mean, self._spread)

    def _in_units(self, correction: Tensor, candidates: Candidates) -> Tensor:
        """Corrections in deviations as ones of the fused scores, float32 [B, K]."""
        _, deviation = spread_of(candidates.fused, candidates.filled)
        return tf.where(candidates.filled, correction * deviation / self._scale, 0.0)


def ranker_of(features: Sequence[Feature], learned: Learned | None) -> Ranker | None:
    """The ranker that was learned, None where nothing was, or with other features than there are now."""
    return None if learned is None or names_of(features) != learned.names else Ranker(features, learned)


def all_of(features: Sequence[Feature], candidates: Candidates) -> Tensor:
    """The numbers of all features float32 [B, K, F]."""
    return tf.concat([feature(candidates) for feature in features], axis=2)


def standardised(values: Any, mean: np.ndarray, spread: np.ndarray) -> Tensor:
    """Features as models read them, float32 [..., F]."""
    return tf.clip_by_value((values - mean) / spread, -LARGEST, LARGEST)


def start_of(candidates: Candidates) -> Tensor:
    """The fused scores as deviations from the candidates' mean, float32 [B, K]: the order that a ranker starts from."""
    return standard(candidates.fused, candidates.filled)
