"""What to expect on queries that nobody has labelled, from labelled ones that had no part in the choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tfrec.choosing.chance import LEAST_QUERIES
from tfrec.choosing.resampling import bootstrap_interval
from tfrec.evaluation.significance import RESAMPLES


@dataclass(frozen=True)
class Expected:
    """An estimate of a metric's mean over other queries of the same shop.

    Attributes:
        metric: its name.
        mean: over the labelled queries, each under choices that it had no part in.
        low, high: 95 in 100 sets of as many other queries have their mean in between; NaN with one query.
        queries: number of labelled queries.
    """

    metric: str
    mean: float
    low: float
    high: float
    queries: int

    def sentence(self) -> str:
        """One line of plain English."""
        told = f"Expected on other queries: {self.metric} {self.mean:.3f}"
        if self.queries < LEAST_QUERIES:
            return f"{told}, but {self.queries} labelled queries are too few to tell how far off that is."
        return (
            f"{told}; of other sets of {self.queries} queries 95 in 100 lie between {self.low:.3f} and {self.high:.3f}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; an interval that does not exist is null."""
        values = {name: None if value != value else value for name, value in asdict(self).items()}
        return values | {"sentence": self.sentence()}


def expected(values: ArrayLike, seed: int = 0, metric: str = "", resamples: int = RESAMPLES) -> Expected:
    """The mean of honest per-query values, with the interval in which the mean of as many other queries lies.

    Other queries differ among themselves as much as these do, so this interval is wider by the square root of 2 than
    that of the mean of all queries there could ever be.

    Args:
        values: float [Q]; NaN is left out.
        seed: of the resampling.
        metric: name used in the sentence.
        resamples: random draws.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    low, high = bootstrap_interval(known, resamples, np.random.default_rng([seed, 3]), others=True)
    # No metric of the report leaves 0..1.
    return Expected(metric, float(known.mean()), float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1)), len(known))
