"""A collaborative model made to speak about every item, and the table of what is drawn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tfrec.synth.behaviour.cold_items import ColdItems
from tfrec.synth.behaviour.collaborative import Scores

BLOCK_SCORES = 16 << 20  # float32 scores alive at once, a few times over
SMOOTHING = 0.5  # purchases that everything is given, so that nothing has popularity 0

PURCHASES: dict[str, Any] = {
    "basket": pl.Int64,  # number of the simulated basket, -1 for a first buyer of a cold item
    "user": pl.Int64,
    "timestamp": pl.Int64,
    "item": pl.Int64,
    "score": pl.Float32,  # of the model, in standard deviations over the catalogue
    "confidence": pl.Float32,
}


@dataclass(frozen=True)
class Plausible:
    """A collaborative model made to speak about every item.

    Attributes:
        scores: rows int [R] of shoppers to float32 [R, N].
        cold: items that the model cannot place, and their neighbours.
        temperature: of the choice.
    """

    scores: Scores
    cold: ColdItems
    temperature: float

    def standard(self, users: np.ndarray) -> np.ndarray:
        """Scores in standard deviations of a shopper's scores over the catalogue: float32 [R, N]."""
        found = self.cold.fill(self.scores(users))
        return (found - found.mean(axis=1, keepdims=True)) / (found.std(axis=1, keepdims=True) + 1e-6)


class PurchaseRows:
    """Collects purchases, a few at a time."""

    def __init__(self) -> None:
        self._columns: dict[str, list[np.ndarray]] = {name: [] for name in PURCHASES}

    def add(self, basket: int, users: Any, times: Any, items: np.ndarray, scores: Any, confidence: Any) -> None:
        """Adds the purchases of items [n]; what is single stands for all of them."""
        for name, value in zip(PURCHASES, (basket, users, times, items, scores, confidence), strict=True):
            self._columns[name].append(np.broadcast_to(value, len(items)))

    def frame(self) -> pl.DataFrame:
        """All of them: columns of PURCHASES."""
        empty = [np.zeros(0)]
        columns = {name: np.concatenate(parts or empty) for name, parts in self._columns.items()}
        return pl.DataFrame(columns).select(pl.col(name).cast(kind) for name, kind in PURCHASES.items())
