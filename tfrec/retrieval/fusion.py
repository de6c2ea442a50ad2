"""Several scorers, one score: each is normalised over the catalogue, then a weighted sum is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.retrieval.confidence import Confidence
from tfrec.retrieval.normalising import normalisation_of, standard
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.retrieval.weights import SITUATIONS, Weighting
from tfrec.tensorflow_setup import tf

Tensor = Any


class Fusion(Scorer):
    """The weighted sum of normalised scorers; itself a scorer.

    Args:
        scorers: S scorers over one catalogue, at least one, with different labels.
        weights: what each counts.
        normalisation: a name in NORMALISATIONS, or "auto".

    Raises:
        ValueError: the normalisation is unknown, labels repeat, or the weights are of another number of scorers.
    """

    def __init__(self, scorers: Sequence[Scorer], weights: Weighting, normalisation: str = "auto") -> None:
        super().__init__(name="fusion")
        self.label = "fused"
        self.scorers, self.weights = list(scorers), weights
        labels = [scorer.label for scorer in scorers]
        if not labels or len(set(labels)) != len(labels) or len(weights.used([0])) != len(labels):
            raise ValueError(f"fusion needs scorers with different labels and a weight for each, not {labels}")
        self.normalisation = normalisation
        self.confidence: Confidence | None = None  # how sure its answers to searches are, where that was learned
        self._normalise = [normalisation_of(normalisation, scorer.sparse) for scorer in scorers]

    @property
    def labels(self) -> list[str]:
        """The scorers' labels, in their order."""
        return [scorer.label for scorer in self.scorers]

    def described(self) -> dict[str, Any]:
        """What is fused, as plain JSON values."""
        sure = {} if self.confidence is None else {"confidence": self.confidence.weights}
        return {"scorers": self.labels, "normalisation": self.normalisation, **self.weights.described(), **sure}

    def __call__(self, request: Request, situations: Sequence[int] = (0, 1, 2, 3)) -> Tensor:
        """Fused scores float32 [B, N].

        Args:
            request: the requests.
            situations: the only situations (indices of SITUATIONS) that the caller's requests can be in; scorers
                without a weight in all of them are left out of the graph.
        """
        return self.scored(request, situations)[0]

    def for_parts(self) -> Fusion:
        """What can be parted, with the same scores.

        Raises:
            ConfigError: its scores depend on the best items of the whole catalogue.
        """
        return self

    def best(
        self, request: Request, k: Tensor, situations: Sequence[int] = (0, 1, 2, 3)
    ) -> tuple[Tensor, Tensor] | None:
        """The k best items without the requests' histories, by a shorter way than through all scores; None without one.

        Args:
            request: the requests.
            k: int32 scalar, at least 1; above N it means N.
            situations: see __call__.

        Returns:
            (scores float32 [B, min(k, N)], rows int32 [B, min(k, N)]), best first; -inf in places that nothing fills.
        """
        return None

    def scored(self, request: Request, situations: Sequence[int] = (0, 1, 2, 3)) -> tuple[Tensor, dict[int, Tensor]]:
        """Fused scores float32 [B, N], and by number the normalised scores float32 [B, N] of the scorers in them that
        read requests; see __call__."""
        weights = self.weights(request)
        used = np.flatnonzero(self.weights.used(situations)).tolist()
        total, parts = None, {}
        for number in sorted(used, key=lambda number: self.scorers[number].constant):
            weight = weights[:, number : number + 1]
            if total is not None and self.scorers[number].constant:
                total = self._with_constant(total, weight, number, request)
            else:
                parts[number] = self._part(number, request)
                total = weight * parts[number] if total is None else total + weight * parts[number]
        return self._whole(0, request) * 0.0 if total is None else total, parts

    def parts(self, request: Request) -> Tensor:
        """Every scorer's normalised scores, float32 [B, S, N]."""
        return tf.stack([self._whole(number, request) for number in range(len(self.scorers))], axis=1)

    def explained(self, request: Request) -> tuple[list[str], Tensor]:
        """S names, and what each of them adds to the scores, float32 [B, S, N]; the sum over S is the score."""
        return self.labels, self.weighted_parts(request)

    def weighted_parts(self, request: Request) -> Tensor:
        """What every scorer adds to the fused scores, float32 [B, S, N]; the sum over S is the fused score."""
        weights, used = self.weights(request), self.weights.used(range(len(SITUATIONS)))
        parts = [
            weights[:, number : number + 1] * self._part(number, request) if used[number] else None
            for number in range(len(self.scorers))
        ]
        silent = tf.zeros_like(next((part for part in parts if part is not None), self._whole(0, request)))
        return tf.stack([silent if part is None else part for part in parts], axis=1)

    def _with_constant(self, total: Tensor, weight: Tensor, number: int, request: Request) -> Tensor:
        """Adds a scorer that mostly has no weight: few requests hold nothing, and the others shall not pay for them."""
        return tf.cond(
            tf.reduce_any(tf.not_equal(weight, 0.0)),
            lambda: total + weight * self._part(number, request),
            lambda: total,
        )

    def _part(self, number: int, request: Request) -> Tensor:
        """Normalised scores float32 [B, N]; only the first row, [1, N], of a scorer that is the same in each."""
        scorer = self.scorers[number]
        if scorer.constant:
            request = Request(*(values[:1] for values in request))
        normalise = self._normalise[number]
        return normalise(scorer(request), scorer.whole(request) if normalise is standard else None)

    def _whole(self, number: int, request: Request) -> Tensor:
        """Normalised scores float32 [B, N]."""
        part = self._part(number, request)
        return tf.repeat(part, tf.shape(request.query)[0], axis=0) if self.scorers[number].constant else part
