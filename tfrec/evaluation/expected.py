"""What to expect on queries that nobody has labelled, from labelled ones that had no part in the choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tfrec.choosing.chance import LEAST_QUERIES
from tfrec.choosing.resampling import bootstrap_interval
from tfrec.evaluation.significance import RESAMPLES

MOST_OTHERS = 25  # other queries whose mean is foretold: whoever looks at the answers of a few sees so many


@dataclass(frozen=True)
class Expected:
    """An estimate of a metric's mean over other queries of the same shop.

    Attributes:
        metric: its name.
        mean: over the labelled queries, each under choices that it had no part in.
        low, high: 95 in 100 sets of `others` other queries have their mean in between; NaN with one query.
        queries: number of labelled queries.
        others: size of such a set: as many as there are labelled ones, at most 25.
    """

    metric: str
    mean: float
    low: float
    high: float
    queries: int
    others: int

    def sentence(self) -> str:
        """One line of plain English."""
        told = f"Expected on other queries: {self.metric} {self.mean:.3f}"
        if self.queries < LEAST_QUERIES:
            return f"{told}, but {self.queries} labelled queries are too few to tell how far off that is."
        return (
            f"{told}, by {self.queries} queries; of sets of {self.others} others 95 in 100 lie between "
            f"{self.low:.3f} and {self.high:.3f}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; an interval that does not exist is null."""
        values = {name: None if value != value else value for name, value in asdict(self).items()}
        return values | {"sentence": self.sentence()}


def expected(values: ArrayLike, seed: int = 0, metric: str = "", resamples: int = RESAMPLES) -> Expected:
    """The mean of honest per-query values, with the interval in which the mean of a set of other queries lies.

    Other queries differ among themselves as much as these do, so this interval is wider than that of the mean of all
    queries there could ever be: a hundred labelled queries foretell that well, but not what thirty others will show.

    Args:
        values: float [Q]; NaN is left out.
        seed: of the resampling.
        metric: name used in the sentence.
        resamples: random draws.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    others = max(1, min(len(known), MOST_OTHERS))
    low, high = bootstrap_interval(known, resamples, np.random.default_rng([seed, 3]), others=others)
    # No metric of the report leaves 0..1.
    return Expected(
        metric, float(known.mean()), float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1)), len(known), others
    )
