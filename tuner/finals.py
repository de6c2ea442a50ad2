"""The best trials against the default, with seeds that chose neither, and a paired test that decides."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.evaluation.significance import Comparison, mean_over_seeds
from tuner.fields import with_values
from tuner.folder import Order, Outcome, read_outcome, write_order
from tuner.isolated import run_isolated
from tuner.plan import Plan
from tuner.results import TrialResult

_FRESH = 1009  # first fresh seed, counted from the search's own
Values = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Finalist:
    """One finalist beside the default.

    Attributes:
        trial: the trial that made it a finalist.
        scores: its dev score with each fresh seed; None where that training failed.
        comparison: against the default with the same seeds; None when no seed finished for both.
    """

    trial: TrialResult
    scores: list[float | None]
    comparison: Comparison | None


@dataclass(frozen=True)
class Finals:
    """Outcome of the finals.

    Attributes:
        seeds: the fresh seeds.
        default: the default's dev score with each of them.
        finalists: in the order of their trials' scores; none when no trial stood above the default.
        threshold: p-value below which a finalist wins.
    """

    seeds: list[int]
    default: list[float | None]
    finalists: list[Finalist]
    threshold: float

    @property
    def leader(self) -> TrialResult | None:
        """The finalist with the largest mean gain, if any has one."""
        compared = [f for f in self.finalists if f.comparison is not None and f.comparison.difference > 0]
        return max(compared, key=lambda f: f.comparison.difference if f.comparison else 0.0).trial if compared else None

    @property
    def winner(self) -> TrialResult | None:
        """The finalist with the largest mean gain among those whose gain is not luck; None: nothing better found."""
        won = [
            finalist
            for finalist in self.finalists
            if finalist.comparison is not None
            and finalist.comparison.difference > 0
            and finalist.comparison.p_permutation <= self.threshold
        ]
        return max(won, key=lambda f: f.comparison.difference if f.comparison else 0.0).trial if won else None


def run_finals(plan: Plan, results: Sequence[TrialResult], workers: int) -> Finals | None:
    """Trains finalists and default with fresh seeds, and compares them query by query.

    Trainings that have ended are not repeated. With several finalists the threshold is divided by their number
    (Bonferroni), since the best of several gains is flattered.

    Args:
        plan: the search.
        results: its trials.
        workers: trainings at a time.

    Returns:
        the comparisons; None when section tune wants no finals, or the default itself failed.
    """
    settings = plan.config.tune.finals
    if settings.seeds == 0 or results[0].score is None:
        return None
    chosen = finalists_of(results, settings.finalists)
    seeds = [plan.config.seed + _FRESH + number for number in range(settings.seeds)]
    if not chosen:
        return Finals(seeds, [], [], settings.significance)
    cells = [(trial, seed) for trial in (results[0], *chosen) for seed in seeds]
    if any(read_outcome(_folder(plan, *cell)) is None for cell in cells):
        who = ", ".join(str(trial.number) for trial in chosen)
        print(f"Finals: the default and trial {who} with {len(seeds)} fresh seeds each", file=sys.stderr, flush=True)
    with ThreadPoolExecutor(workers) as pool:
        keys = [(trial.number, seed) for trial, seed in cells]
        outcomes = dict(zip(keys, pool.map(lambda cell: _run(plan, *cell), cells), strict=True))
    default = [outcomes[0, seed] for seed in seeds]
    threshold = settings.significance / len(chosen)
    finalists = []
    for trial in chosen:
        own = [outcomes[trial.number, seed] for seed in seeds]
        finalists.append(Finalist(trial, [o.score for o in own], _compare(own, default, plan.config.seed)))
    return Finals(seeds, [o.score for o in default], finalists, threshold)


def finalists_of(results: Sequence[TrialResult], most: int) -> list[TrialResult]:
    """The best whole trials above the default (all of them when that failed), each set of values once."""
    floor = results[0].score if results and results[0].score is not None else -np.inf
    chosen: list[TrialResult] = []
    for trial in sorted(results, key=lambda r: (-(r.score or 0.0), r.number)):
        new = all(trial.values != other.values for other in chosen)
        if trial.number and trial.whole and trial.score is not None and trial.score > floor and new:
            chosen.append(trial)
    return chosen[:most]


def gains(own: Values, other: Values) -> np.ndarray:
    """What one model gains over another on each query and shopper, float64 [units].

    With both tasks the dev score is the mean of their means, so a unit of the smaller task counts for more: the mean of
    what comes back is the difference of the two dev scores.

    Args:
        own, other: task -> query or shopper -> metric.
    """
    parts = [
        np.array([own[task][unit] - other[task][unit] for unit in sorted(own[task]) if unit in other[task]])
        for task in sorted(own)
        if task in other
    ]
    total = sum(len(part) for part in parts)
    return np.concatenate([part * (total / (len(parts) * len(part))) for part in parts if len(part)])


def forget_finals(folder: Path) -> None:
    """Gives back the disk of the finals' checkpoints; what they measured stays."""
    for checkpoints in folder.glob("finals/*/checkpoints"):
        shutil.rmtree(checkpoints, ignore_errors=True)


def _run(plan: Plan, trial: TrialResult, seed: int) -> Outcome:
    folder = _folder(plan, trial, seed)
    values: dict[str, Any] = dict(trial.values) if trial.number else {}
    own = {"runs_dir": str(folder.parent), "name": folder.name, "seed": seed}
    order = Order(trial.number, plan.objective, values=values, judge=True)
    if not (folder / "order.json").is_file():
        write_order(folder, with_values(plan.config, {**values, **own}), order)
    return run_isolated(folder)


def _folder(plan: Plan, trial: TrialResult, seed: int) -> Path:
    return plan.folder / "finals" / f"trial_{trial.number}_seed_{seed}"


def _compare(own: Sequence[Outcome], default: Sequence[Outcome], seed: int) -> Comparison | None:
    rows = [
        gains(mine.facts["values"], other.facts["values"])
        for mine, other in zip(own, default, strict=True)
        if mine.score is not None and other.score is not None
    ]
    return mean_over_seeds(rows, seed, "dev score") if rows and len(rows[0]) else None
