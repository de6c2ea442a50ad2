"""Prior scorer: what an item is worth whatever the request: its sales, how new it is, any number of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.data.ages import DAY
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any
LARGEST = 5.0  # standard deviations; a typing error in a price shall not rule the ranking


class PriorScorer(Scorer):
    """One number per item, standardised over the catalogue; the same for every request.

    Args:
        label: name of the scorer.
        values: one number per item [N]; NaN = unknown, which scores as the mean does: 0.
        largest: standard deviations from the mean that nothing exceeds; items beyond it are equal; None takes the
            values as they are.
    """

    constant = True

    def __init__(self, label: str, values: Any, largest: float | None = LARGEST) -> None:
        super().__init__(name="prior")
        self.label = label
        values = values if largest is None else standardised(values, largest)
        self._values = tf.Variable(values, trainable=False, dtype=tf.float32, name="prior")
        self.size = int(self._values.shape[0])

    @property
    def values(self) -> np.ndarray:
        """The items' values float32 [N]."""
        return np.asarray(self._values.numpy())

    def part(self, first: int, end: int) -> PriorScorer:
        """See Scorer."""
        return PriorScorer(self.label, self.values[first:end], None)

    def __call__(self, request: Request) -> Tensor:
        """The items' values float32 [B, N], one row like the other."""
        return tf.broadcast_to(self._values[tf.newaxis], [tf.shape(request.query)[0], self.size])


def standardised(values: Any, largest: float = LARGEST) -> np.ndarray:
    """Numbers [N] to mean 0 and variance 1 over the known ones, float32 [N], at most `largest` from 0; unknown to 0."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), np.float32)
    # divided first, so that the square of a huge number stays finite
    scale = max(np.abs(values[known]).max(), 1e-300)
    values = np.where(known, values, 0.0) / scale
    spread = values[known].std()
    if spread < 1e-9:
        return np.zeros(len(values), np.float32)
    score = np.clip((values - values[known].mean()) / spread, -largest, largest)
    return np.where(known, score, 0.0).astype(np.float32)


def popularity(counts: Any) -> np.ndarray:
    """How often items sell, int [N], on a scale where ten times as much is a step: log(1 + count), float64 [N]."""
    return np.log1p(np.asarray(counts, np.float64))


def recency(items: Any, timestamps: Any, size: int) -> np.ndarray:
    """How lately every item was taken: minus the logarithm of the days since, counted from the newest interaction.

    Args:
        items: item index of every interaction, int [R].
        timestamps: its time, unix seconds int [R].
        size: N, number of items.

    Returns:
        float64 [N], at most 0; NaN for items that were never taken.
    """
    items, times = np.asarray(items, np.int64), np.asarray(timestamps, np.float64)
    latest = np.full(size, -np.inf)
    np.maximum.at(latest, items, times)
    days = (times.max(initial=0.0) - latest) / DAY
    return np.where(np.isfinite(latest), -np.log1p(np.where(np.isfinite(latest), days, 0.0)), np.nan)


def numeric_column(texts: Sequence[Any]) -> np.ndarray:
    """A column of the catalogue as numbers float64 [N]; NaN where a cell is empty or is not a number."""

    def number(cell: Any) -> float:
        try:
            return float(cell)
        except (TypeError, ValueError):
            return np.nan

    return np.fromiter(map(number, texts), np.float64, len(texts))
