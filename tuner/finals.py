"""The best trials against the default, with seeds that chose neither, and a paired test that decides."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.evaluation.significance import Comparison, mean_over_seeds
from tfrec.tuner.fields import with_values
from tfrec.tuner.folder import Order, Outcome, read_outcome, write_order
from tfrec.tuner.isolated import run_isolated, share_of_cores
from tfrec.tuner.luck import CrossedGain, crossed_gain
from tfrec.tuner.plan import Plan
from tfrec.tuner.results import TrialResult
from tfrec.tuner.training import forget_checkpoints

_FRESH = 1009  # first fresh seed, counted from the search's own
Values = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Finalist:
    """One finalist beside the default.

    Attributes:
        trial: the trial that made it a finalist.
        scores: its dev score with each fresh seed; None where that training failed.
        comparison: against the default with the same seeds, over queries; None when no seed finished for both.
        crossed: the same over queries and seeds; None when fewer than two seeds finished for both.
    """

    trial: TrialResult
    scores: list[float | None]
    comparison: Comparison | None
    crossed: CrossedGain | None = None

    @property
    def gain(self) -> float:
        """Mean gain over the default; -inf where none was measured."""
        return -np.inf if self.comparison is None else self.comparison.difference

    def wins(self, threshold: float) -> bool:
        """Whether its gain is luck neither of the queries nor of the seeds; what fails with a seed cannot win.

        Nor does anything with too few queries to tell.
        """
        if self.comparison is None or not self.comparison.enough or self.gain <= 0 or None in self.scores:
            return False
        return max(self.comparison.p_permutation, self.crossed.p if self.crossed else 0.0) <= threshold


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
        return _largest([finalist for finalist in self.finalists if finalist.gain > 0])

    @property
    def winner(self) -> TrialResult | None:
        """The finalist with the largest mean gain among those whose gain is not luck; None: nothing better found."""
        return _largest([finalist for finalist in self.finalists if finalist.wins(self.threshold)])


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
    # Seed by seed, so that a machine which is busier for a while is so for the default and the finalists alike.
    cells = [(trial, seed) for seed in seeds for trial in (results[0], *chosen)]
    if any(read_outcome(_folder(plan, *cell)) is None for cell in cells):
        who = ", ".join(str(trial.number) for trial in chosen)
        print(f"Finals: the default and trial {who} with {len(seeds)} fresh seeds each", file=sys.stderr, flush=True)
    outcomes = _run_all(plan, cells, workers)
    default = [outcomes[0, seed] for seed in seeds]
    threshold = settings.significance / len(chosen)
    finalists = []
    for trial in chosen:
        own = [outcomes[trial.number, seed] for seed in seeds]
        finalists.append(Finalist(trial, [o.score for o in own], *_compare(own, default, plan.config.seed)))
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
        if own[task] and task in other
    ]
    total = sum(len(part) for part in parts)
    return np.concatenate([np.empty(0), *(part * (total / (len(parts) * len(part))) for part in parts)])


def _run_all(plan: Plan, cells: Sequence[tuple[TrialResult, int]], workers: int) -> dict[tuple[int, int], Outcome]:
    """Outcomes by number of the trial and seed; whatever ends this, also Ctrl-C, ends the trainings."""
    ended = threading.Event()

    def beat() -> None:
        if ended.is_set():
            raise KeyboardInterrupt

    with ThreadPoolExecutor(workers) as pool:
        threads = share_of_cores(workers)
        running = {(t.number, seed): pool.submit(_run, plan, t, seed, beat, threads) for t, seed in cells}
        try:
            return {key: future.result() for key, future in running.items()}
        except BaseException:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(plan: Plan, trial: TrialResult, seed: int, beat: Callable[[], None], threads: int | None) -> Outcome:
    folder = _folder(plan, trial, seed)
    values: dict[str, Any] = dict(trial.values) if trial.number else {}
    own = {"runs_dir": str(folder.parent), "name": folder.name, "seed": seed}
    order = Order(trial.number, plan.objective, values=values, judge=True)
    if not (folder / "order.json").is_file():
        write_order(folder, with_values(plan.config, {**values, **own}), order)
    outcome = run_isolated(folder, beat, threads)
    forget_checkpoints(folder)
    return outcome


def _folder(plan: Plan, trial: TrialResult, seed: int) -> Path:
    return plan.folder / "finals" / f"trial_{trial.number}_seed_{seed}"


def _largest(finalists: Sequence[Finalist]) -> TrialResult | None:
    return max(finalists, key=lambda finalist: finalist.gain).trial if finalists else None


def _compare(
    own: Sequence[Outcome], default: Sequence[Outcome], seed: int
) -> tuple[Comparison | None, CrossedGain | None]:
    rows = [
        gains(mine.facts["values"], other.facts["values"])
        for mine, other in zip(own, default, strict=True)
        if mine.score is not None and other.score is not None
    ]
    if not rows or not len(rows[0]):
        return None, None
    return mean_over_seeds(rows, seed, "dev score"), crossed_gain(rows)
