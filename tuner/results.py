"""What the trials of a search came to, read from their folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.tuner.fields import value_at
from tfrec.tuner.folder import read_curve, read_order, read_outcome, trial_folder, trial_numbers
from tfrec.tuner.space import Space, is_varied

WHOLE = ("finished", "patience")  # how a training ends that nothing cut short


@dataclass(frozen=True)
class TrialResult:
    """One trial that has ended.

    Attributes:
        number: from 0, which is the base configuration itself.
        values: what the trial's configuration has at each path of the space that varied in it.
        score: dev score of its best evaluation, or None when it failed.
        seconds: spent on training, earlier rungs included; None when it failed.
        steps: of training; under a time budget a busy machine gives one trial fewer than another. None when it failed.
        wall: seconds that its process took, with start and evaluations.
        stopped: "finished", "patience", "rung" or "hopeless"; "" when it failed.
        reason: why it failed, else "".
        place: bracket and rung of Hyperband, else "".
        continues: number of the trial whose training it went on with, or None.
        curve: [step, dev score] of each evaluation.
    """

    number: int
    values: dict[str, Any]
    score: float | None
    seconds: float | None
    steps: int | None
    wall: float = 0.0
    stopped: str = ""
    reason: str = ""
    place: str = ""
    continues: int | None = None
    curve: list[list[float]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether it trained to its end, so that its score is comparable with the default's."""
        return self.score is not None and self.stopped in WHOLE


def read_results(folder: Path, config: Config, space: Space) -> list[TrialResult]:
    """All trials that have ended, in the order of their numbers.

    Args:
        folder: of the search.
        config: the base configuration.
        space: what varies.
    """
    results = []
    for number in trial_numbers(folder):
        there = trial_folder(folder, number)
        outcome, order = read_outcome(there), read_order(there)
        if outcome is None:
            continue
        everything = {path: value_at(config, path) for path in space} | order.values
        values = {path: value for path, value in everything.items() if is_varied(space, path, everything)}
        results.append(
            TrialResult(
                number,
                values,
                outcome.score,
                outcome.seconds,
                outcome.steps,
                outcome.wall,
                outcome.stopped,
                outcome.reason,
                order.place,
                order.continues,
                outcome.evaluations,
            )  # fmt: skip
        )
    return results


def running(folder: Path) -> Mapping[int, dict[int, list[float]]]:
    """Trials that have been ordered and have not ended, each with its evaluations so far."""
    return {
        number: read_curve(trial_folder(folder, number))
        for number in trial_numbers(folder)
        if read_outcome(trial_folder(folder, number)) is None
    }


def best_of(results: list[TrialResult]) -> TrialResult | None:
    """The highest score, the earliest of equals, among the trials that trained to their end; else among all with one.

    What a rung or a hopeless trial scored belongs to a training that its configuration, run whole, would not repeat.
    """
    whole = [result for result in results if result.whole]
    scored = whole or [result for result in results if result.score is not None]
    return max(scored, key=lambda r: r.score or 0.0, default=None)
