"""Several scorers, one score: each is normalised over the catalogue, then a weighted sum is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any
# What Python's str.strip() removes, so that a blank query means the same here as in training.
BLANK = r"[\s\x0b\x1c-\x1f\x{85}\p{Z}]*"
# What a request can hold: the row of a table of weights is has_query + 2 * has_history.
SITUATIONS = ("nothing", "query", "history", "both")
_RANK_OFFSET, _DEEPEST_RANK = 60.0, 1000
_LEAST_DENSE = 0.02


class Presence(NamedTuple):
    """Which inputs the requests of a batch have, bool [B] each."""

    query: Tensor
    history: Tensor


def presence(request: Request) -> Presence:
    """A query of white space is none, a history of -1 is none."""
    has_query = tf.logical_not(tf.strings.regex_full_match(request.query, BLANK))
    return Presence(has_query, tf.reduce_any(request.history >= 0, axis=1))


def standard(scores: Tensor) -> Tensor:
    """z-scores over the catalogue, float32 [B, N]; a row without any difference becomes 0."""
    mean = tf.reduce_mean(scores, axis=1, keepdims=True)
    deviation = tf.math.reduce_std(scores, axis=1, keepdims=True)
    return (scores - mean) / (deviation + 1e-6)


def min_max(scores: Tensor) -> Tensor:
    """Scores stretched to 0..1 over the catalogue, float32 [B, N]; a row without any difference becomes 0."""
    low = tf.reduce_min(scores, axis=1, keepdims=True)
    return (scores - low) / (tf.reduce_max(scores, axis=1, keepdims=True) - low + 1e-9)


def reciprocal_rank(scores: Tensor) -> Tensor:
    """61 / (60 + rank) with rank 1 for the best, float32 [B, N]; equal scores share a rank.

    Items after the thousandth get 0, and so does a row without any difference.

    Source: Cormack et al. 2009 (reciprocal rank fusion).
    """
    best = tf.math.top_k(scores, tf.minimum(tf.shape(scores)[1], _DEEPEST_RANK)).values
    above = tf.shape(best)[1] - tf.searchsorted(best[:, ::-1], scores, side="right")
    counts = (scores >= best[:, -1:]) & (best[:, :1] > tf.reduce_min(scores, axis=1, keepdims=True))
    return tf.where(counts, (_RANK_OFFSET + 1) / (_RANK_OFFSET + 1 + tf.cast(above, tf.float32)), 0.0)


NORMALISATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "z-score": standard,
    "min-max": min_max,
    "rank": reciprocal_rank,
}


class Weighting(Protocol):
    """How much each of S scorers counts for each request."""

    def __call__(self, request: Request) -> Tensor:
        """Weights float32 [B, S]."""

    def used(self, situations: Sequence[int]) -> np.ndarray:
        """bool [S]: whether a scorer can count at all in requests of these situations."""

    def described(self) -> dict[str, Any]:
        """The weights as plain JSON values."""


class SituationWeights(tf.Module):  # type: ignore[misc]
    """Fixed weights for each of the four situations.

    Args:
        table: float32 [4, S], rows as in SITUATIONS.
    """

    def __init__(self, table: Any) -> None:
        super().__init__(name="situation_weights")
        self.table = np.asarray(table, np.float32)
        if self.table.ndim != 2 or len(self.table) != len(SITUATIONS) or not np.isfinite(self.table).all():
            raise ValueError(f"weights must be finite and of shape [4, scorers], not {self.table.shape}")

    def __call__(self, request: Request) -> Tensor:
        """Weights float32 [B, S]."""
        has = presence(request)
        situation = tf.cast(has.query, tf.int32) + 2 * tf.cast(has.history, tf.int32)
        return tf.gather(tf.constant(self.table), situation)

    def used(self, situations: Sequence[int]) -> np.ndarray:
        """bool [S]: scorers with a weight in any of these situations."""
        return (self.table[list(situations)] != 0).any(axis=0)

    def described(self) -> dict[str, Any]:
        """Situation -> weights in the order of the scorers."""
        return {"weights": situation_lists(self.table)}


def situation_lists(table: np.ndarray) -> dict[str, list[float]]:
    """A table of weights [4, S] as plain values: situation -> weights."""
    return {name: [round(float(value), 6) for value in row] for name, row in zip(SITUATIONS, table, strict=True)}


class Fusion(Scorer):
    """The weighted sum of normalised scorers; itself a scorer.

    Args:
        scorers: S scorers over one catalogue, at least one, with different labels.
        weights: what each counts.
        normalisation: a name in NORMALISATIONS.

    Raises:
        ValueError: the normalisation is unknown, labels repeat, or the weights are of another number of scorers.
    """

    def __init__(self, scorers: Sequence[Scorer], weights: Weighting, normalisation: str = "z-score") -> None:
        super().__init__(name="fusion")
        self.label = "fused"
        self.scorers, self.weights = list(scorers), weights
        if normalisation not in NORMALISATIONS:
            raise ValueError(f"normalisation must be one of {', '.join(NORMALISATIONS)}, not {normalisation!r}")
        labels = [scorer.label for scorer in scorers]
        if not labels or len(set(labels)) != len(labels) or len(weights.used([0])) != len(labels):
            raise ValueError(f"fusion needs scorers with different labels and a weight for each, not {labels}")
        self.normalisation = normalisation

    @property
    def labels(self) -> list[str]:
        """The scorers' labels, in their order."""
        return [scorer.label for scorer in self.scorers]

    def described(self) -> dict[str, Any]:
        """What is fused, as plain JSON values."""
        return {"scorers": self.labels, "normalisation": self.normalisation, **self.weights.described()}

    def __call__(self, request: Request, situations: Sequence[int] = (0, 1, 2, 3)) -> Tensor:
        """Fused scores float32 [B, N].

        Args:
            request: the requests.
            situations: the only situations (indices of SITUATIONS) that the caller's requests can be in; scorers
                without a weight in all of them are left out of the graph.
        """
        weights = self.weights(request)
        total = None
        for number, used in enumerate(self.weights.used(situations)):
            if used:
                part = weights[:, number : number + 1] * self._part(number, request)
                total = part if total is None else total + part
        return self._part(0, request) * 0.0 if total is None else total

    def parts(self, request: Request) -> Tensor:
        """Every scorer's normalised scores, float32 [B, S, N]."""
        return tf.stack([self._part(number, request) for number in range(len(self.scorers))], axis=1)

    def weighted_parts(self, request: Request) -> Tensor:
        """What every scorer adds to the fused scores, float32 [B, S, N]; the sum over S is the fused score."""
        weights, used = self.weights(request), self.weights.used(range(len(SITUATIONS)))
        parts = [
            weights[:, number : number + 1] * self._part(number, request) if used[number] else None
            for number in range(len(self.scorers))
        ]
        silent = tf.zeros_like(next((part for part in parts if part is not None), self._part(0, request)))
        return tf.stack([silent if part is None else part for part in parts], axis=1)

    def _part(self, number: int, request: Request) -> Tensor:
        return NORMALISATIONS[self.normalisation](self.scorers[number](request))

    def alone(self, label: str) -> Fusion:
        """One of the scorers by itself, normalised like the whole."""
        scorer = self.scorers[self.labels.index(label)]
        return Fusion([scorer], SituationWeights(np.ones([4, 1])), self.normalisation)


def weights_table(labels: list[str], tasks: Mapping[str, Mapping[str, float]], history_share: float) -> np.ndarray:
    """The weights of all situations from those tuned for tasks.

    Typed words alone take the weights of search, a history alone those of recommendation. With both, every scorer takes
    `(1 - history_share) * search + history_share * recommendation`: shops rarely know who typed a judged query, so this
    is a setting and not tuned. With neither, recommendation's weights hold. A task that nothing was tuned for leaves
    the dense scorer alone. The dense scorer always keeps a fiftieth: where words or items are new the others are
    silent, and it alone can order the catalogue.

    Args:
        labels: S labels of scorers.
        tasks: "search", "recommendation" -> label -> weight; both may be missing.
        history_share: 0..1.

    Returns:
        float32 [4, S], rows as in SITUATIONS.
    """

    def row(task: str) -> np.ndarray:
        chosen = tasks.get(task) or {"dense": 1.0}
        weights = np.array([chosen.get(label, 0.0) for label in labels], np.float64)
        weights /= max(weights.sum(), 1e-9)
        if "dense" in labels:
            weights[labels.index("dense")] = max(weights[labels.index("dense")], _LEAST_DENSE)
        return weights / max(weights.sum(), 1e-9)

    search, recommendation = row("search"), row("recommendation")
    both = (1.0 - history_share) * search + history_share * recommendation
    return np.stack([recommendation, search, recommendation, both]).astype(np.float32)
