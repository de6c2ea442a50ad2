"""How much each scorer counts, by what a request holds: words, a history, both or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

Tensor = Any
# What Python's str.strip() removes, so that a blank query means the same here as in training.
BLANK = r"[\s\x0b\x1c-\x1f\x{85}\p{Z}]*"
# What a request can hold: the row of a table of weights is has_query + 2 * has_history.
SITUATIONS = ("nothing", "query", "history", "both")
_LEAST_DENSE = 0.02
_BETWEEN_EQUALS = 1e-3


class Presence(NamedTuple):
    """Which inputs the requests of a batch have, bool [B] each."""

    query: Tensor
    history: Tensor


def presence(request: Request) -> Presence:
    """A query of white space is none, a history of -1 is none."""
    has_query = tf.logical_not(tf.strings.regex_full_match(request.query, BLANK))
    return Presence(has_query, tf.reduce_any(request.history >= 0, axis=1))


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


def weights_table(labels: list[str], tasks: Mapping[str, Mapping[str, float]], history_share: float) -> np.ndarray:
    """The weights of all situations from those chosen for tasks.

    Typed words alone take the weights of search, a history alone those of recommendation. With both, every scorer takes
    `(1 - history_share) * search + history_share * recommendation`: shops rarely know who typed a judged query, so this
    is a setting and not tuned. With neither, the weights of "nothing" hold, or those of recommendation where nothing is
    known of the items themselves. A task that no weights were chosen for leaves the dense scorer alone. The dense
    scorer always keeps a fiftieth: where words or items are new the others are silent, and it alone can order the
    catalogue. Where a request holds nothing it only orders items that the others find equal.

    Args:
        labels: S labels of scorers.
        tasks: "search", "recommendation", "nothing" -> label -> weight; any may be missing.
        history_share: 0..1.

    Returns:
        float32 [4, S], rows as in SITUATIONS.
    """

    def row(task: str, least_dense: float = _LEAST_DENSE) -> np.ndarray:
        chosen = tasks.get(task) or {"dense": 1.0}
        weights = np.array([chosen.get(label, 0.0) for label in labels], np.float64)
        weights /= max(weights.sum(), 1e-9)
        if "dense" in labels:
            weights[labels.index("dense")] = max(weights[labels.index("dense")], least_dense)
        return weights / max(weights.sum(), 1e-9)

    search, recommendation = row("search"), row("recommendation")
    both = (1.0 - history_share) * search + history_share * recommendation
    nothing = row("nothing", _BETWEEN_EQUALS) if any(tasks.get("nothing", {}).values()) else recommendation
    return np.stack([nothing, search, recommendation, both]).astype(np.float32)
