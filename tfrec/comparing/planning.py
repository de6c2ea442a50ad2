"""How many sessions an experiment needs, by simulation on the shop's own log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from tfrec.comparing.sequential import sequence_of_pairs
from tfrec.comparing.traffic import Traffic

EFFECTS = (0.01, 0.02, 0.05, 0.1)
_SIMULATED = 100_000  # sessions that means and variances are taken from
_HALVINGS = 12
_PATHS, _STEPS, _LONGEST = 400, 400, 6  # of the simulated watching, in units of the fixed test's sessions


@dataclass(frozen=True)
class Plan:
    """What it takes to see one effect.

    Attributes:
        effect: relative lift of searches with a click, by a better order of the shown items.
        ab: sessions of both groups together for A/B, with a fixed number; None where it is beyond counting.
        ab_cuped: the same, with CUPED.
        interleaving: sessions for team-draft interleaving.
        watched: factor on each for a sequential test that is looked at all the time, at the planned number.
    """

    effect: float
    ab: int | None
    ab_cuped: int | None
    interleaving: int | None
    watched: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def plans(
    traffic: Traffic, effects: Sequence[float] = EFFECTS, metric: str = "click", level: float = 0.05,
    power: float = 0.8, seed: int = 0,
) -> tuple[list[Plan], float]:  # fmt: skip
    """How many sessions each effect needs.

    The log's rankings are moved towards the order by attractiveness until searches end with a click as much more often
    as the effect says; sessions are then simulated with both rankings, and interleaved.

    Args:
        traffic: the shop's sessions.
        effects: relative lifts, above 0.
        metric: click, cart or purchase.
        level: chance of a false alarm, two-sided.
        power: chance that the effect is seen.
        seed: draws.

    Returns:
        a plan for each effect that can be reached, and the lift that the best order would reach.
    """
    rng = np.random.default_rng([seed, 4])
    most = traffic.lift(traffic.reordered(1.0), np.random.default_rng(seed))
    watched = watching_factor(level, power)
    found = []
    for effect in effects:
        if effect > most:
            continue
        found.append(needed(traffic, lifted(traffic, effect, seed), metric, level, power, rng, effect, watched))
    return found, most


def lifted(traffic: Traffic, effect: float, seed: int) -> NDArray[np.int64]:
    """A ranking whose searches end with a click by so much more often, int64 [N, K]; the best where none reaches it.

    Args:
        traffic: the shop's sessions.
        effect: relative lift, above 0.
        seed: draws the clicks.
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = traffic.lift(traffic.reordered(middle), np.random.default_rng(seed)) >= effect
        low, high = (low, middle) if reached else (middle, high)
    return traffic.reordered(high)


def needed(
    traffic: Traffic, other: NDArray[np.int64], metric: str, level: float, power: float, rng: np.random.Generator,
    effect: float, watched: float,
) -> Plan:  # fmt: skip
    """The plan for two given rankings.

    Args:
        traffic: the shop's sessions.
        other: int [N, K], what the other ranking shows.
        metric, level, power: as in `plans`.
        rng: draws.
        effect, watched: noted in the plan.
    """
    rounds = max(1, math.ceil(_SIMULATED / max(1, traffic.sessions)))
    a, b, preferred = [], [], []
    for _ in range(rounds):
        state = rng.integers(1 << 62)  # the same luck for both: their difference is known better
        a.append(traffic.grouped(traffic.shown, metric, np.random.default_rng(state)))
        b.append(traffic.grouped(other, metric, np.random.default_rng(state)))
        preferred.append(traffic.preferences(other, metric, rng))
    wide = float(norm.ppf(1 - level / 2) + norm.ppf(power)) ** 2
    both, pref = (np.concatenate(a), np.concatenate(b)), np.concatenate(preferred)
    gap = float(both[1].mean() - both[0].mean())
    ab = _whole(2 * wide * float(both[0].var() + both[1].var()), gap)
    cuped = None if ab is None else math.ceil(ab * (1.0 - traffic.foretold))
    return Plan(effect, ab, cuped, _whole(wide * float(pref.var()), float(pref.mean())), watched)


def watching_factor(level: float, power: float, seed: int = 0) -> float:
    """By how many more sessions a sequential test reaches the power that a fixed one has; scale-free.

    Args:
        level, power: as in `plans`.
        seed: draws.
    """
    rng = np.random.default_rng([seed, 5])
    drift = float(norm.ppf(1 - level / 2) + norm.ppf(power)) / math.sqrt(_STEPS)
    walks = drift + rng.normal(size=(_PATHS, _STEPS * _LONGEST))
    decided = sequence_of_pairs(walks, level, _STEPS).decided
    decided = np.where(decided > 0, decided, _STEPS * _LONGEST)
    return float(np.quantile(decided, power) / _STEPS)


def _whole(variance: float, gap: float) -> int | None:
    if gap <= 0 or not math.isfinite(found := variance / gap**2) or found > 1e12:
        return None
    return max(1, math.ceil(found))
