"""A test that may be looked at every day: confidence sequences that hold at all times at once, and always-valid p.

The mixture sequential probability ratio test with a normal mixture, in its asymptotic form: means and variances are
those of the units so far. It is exact in the limit only, so that it stays silent for the first units.

Source: Robbins 1970, Statistical Methods Related to the Law of the Iterated Logarithm; Johari, Koomen, Pekelis and
Walsh 2022, Always Valid Inference: Continuous Monitoring of A/B Tests (mSPRT); Waudby-Smith, Arbour, Sinha, Kennedy and
Ramdas 2024, Time-Uniform Central Limit Theory and Asymptotic Confidence Sequences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
SILENT = 100  # units before the first word
PLANNED = 5_000  # units at which the interval is narrowest, where no plan says


@dataclass(frozen=True)
class Sequence:
    """A confidence sequence, along the last axis by the number of units so far; NaN while silent.

    Attributes:
        mean: difference b - a.
        half: half of the interval's width.
        p: always-valid p-value, never rising.
    """

    mean: Values
    half: Values
    p: Values

    @property
    def decided(self) -> NDArray[np.int64]:
        """Units after which 0 was first outside, 0 where it never was; int64 of the other axes."""
        outside = np.abs(self.mean) > self.half
        return np.asarray(np.where(outside.any(axis=-1), outside.argmax(axis=-1) + 1, 0), np.int64)

    def to_dict(self) -> dict[str, Any]:
        """The state after the last unit, plain JSON values."""
        if not self.mean.shape[-1] or math.isnan(float(self.half[-1])):
            return {"difference": None, "low": None, "high": None, "p": 1.0, "decided_after": 0}
        mean, half = float(self.mean[-1]), float(self.half[-1])
        return {
            "difference": mean, "low": mean - half, "high": mean + half, "p": float(self.p[-1]),
            "decided_after": int(self.decided),
        }  # fmt: skip


def sequence_of_pairs(values: Values, level: float = 0.05, planned: int = PLANNED) -> Sequence:
    """The sequence of a mean of differences.

    Args:
        values: float [..., U], in the order of time.
        level: chance that the sequence ever misses the truth.
        planned: units at which it shall be narrowest; fixed before any is seen.
    """
    count = np.arange(1, values.shape[-1] + 1)
    mean = np.cumsum(values, axis=-1) / count
    variance = np.maximum(np.cumsum(values**2, axis=-1) / count - mean**2, 0.0)
    return _sequence(count, mean, variance / count, level, planned)


def sequence_of_groups(
    values: Values, of_b: NDArray[np.bool_], level: float = 0.05, planned: int = PLANNED
) -> Sequence:
    """The sequence of a difference of two groups' means.

    Args:
        values: float [..., U], of both groups in the order of time.
        of_b: bool [..., U], whose they are.
        level, planned: as in `sequence_of_pairs`; planned counts the units of both.
    """
    count = np.arange(1, values.shape[-1] + 1)
    means, errors = [], []
    for own in (~of_b, of_b):
        number = np.cumsum(own, axis=-1)
        some = np.maximum(number, 1)
        mean = np.cumsum(values * own, axis=-1) / some
        variance = np.maximum(np.cumsum(values**2 * own, axis=-1) / some - mean**2, 0.0)
        means.append(mean)
        errors.append(np.where(number > 1, variance / some, np.inf))
    return _sequence(count, means[1] - means[0], errors[0] + errors[1], level, planned)


def _sequence(count: NDArray[np.int64], mean: Values, error: Values, level: float, planned: int) -> Sequence:
    """Args: error: squared standard error of the mean."""
    # the mixture's spread that makes the interval narrowest at `planned` units (Waudby-Smith et al., appendix B.2)
    strong = -2.0 * math.log(level)
    rho2 = (strong + math.log(strong + 1.0)) / planned
    grown = count * rho2
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.sqrt(error * (grown + 1.0) / grown * 2.0 * np.log(np.sqrt(grown + 1.0) / level))
        z2 = np.where(error > 0, mean**2 / np.where(error > 0, error, 1.0), 0.0)
        log_ratio = 0.5 * z2 * grown / (grown + 1.0) - 0.5 * np.log1p(grown)
    silent = (count < SILENT) | ~np.isfinite(error) | (error <= 0)
    p = np.minimum.accumulate(np.where(silent, 1.0, np.minimum(1.0, np.exp(-log_ratio))), axis=-1)
    return Sequence(mean, np.where(silent, np.nan, half), p)
