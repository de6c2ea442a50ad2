"""What every click model does: fit lists, and say how likely the clicks of others are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.lists import Lists
from tfrec.clicks.prior import Prior

LEAST_CHANCE = 1e-4  # a click that a model rules out costs this much, so that its likelihood stays finite


@dataclass(frozen=True)
class Fitted:
    """What a model learned.

    Attributes:
        model: its name.
        successes: float64 [P], clicks that count for the pair.
        trials: float64 [P], impressions that were looked at, or were to be expected to be.
        attractiveness: float64 [P], chance of a click on the item once it is looked at, shrunk to the prior.
        prior: of the attractiveness.
        parameters: what else was learned, in JSON's types: examination by position, continuation ...
        arrays: further values by pair that the model's own likelihood needs, float64 [P] each.
    """

    model: str
    successes: NDArray[np.float64]
    trials: NDArray[np.float64]
    attractiveness: NDArray[np.float64]
    prior: Prior
    parameters: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """How much of each attractiveness comes from the pair's own impressions, float64 [P], 0..1."""
        return self.prior.confidence(self.trials)


class ClickModel(ABC):
    """A way to read clicks. Stateless: what it learns is in `Fitted`."""

    name: str

    @abstractmethod
    def fit(self, lists: Lists) -> Fitted:
        """Learns from lists.

        Args:
            lists: at least one row.
        """

    @abstractmethod
    def log_likelihood(self, fitted: Fitted, lists: Lists) -> NDArray[np.float64]:
        """Natural logarithm of the chance of each row's click or its absence, given those above it in the list.

        Args:
            fitted: of this model.
            lists: of the same pairs; those that were never fitted have the prior's mean.

        Returns:
            float64 [L], in the order of the lists' rows.
        """


def row_likelihood(chance: NDArray[np.float64], clicked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log-likelihood of clicks that have these chances, same shape; chances are kept off 0 and 1."""
    chance = np.clip(chance, LEAST_CHANCE, 1.0 - LEAST_CHANCE)
    return np.log(np.where(clicked, chance, 1.0 - chance))
