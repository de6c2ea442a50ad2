"""The folder of a search: what each of its files says.

tune/search.json            what the search was begun with
tune/base.yaml              the base configuration, with the trials' time budget
tune/prepare/config.yaml    the configuration as it was given
tune/oracle/                KerasTuner's state
tune/trial_N/config.yaml    the configuration of trial N
tune/trial_N/order.json     how far to train it, from where (Order)
tune/trial_N/curve.json     its evaluations so far
tune/trial_N/outcome.json   how it ended (Outcome); a trial without has not
tune/trial_N/log.txt        what its process wrote
tune/finals/NAME/           the same for each finalist and seed
tune/best.yaml, trials.parquet, report.html, tensorboard/
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tfrec.config import Config, plain_yaml
from tfrec.files import atomic_write, read_json, write_json
from tfrec.locks import alone_at
from tfrec.pipeline.run_folder import RunFolder


@dataclass(frozen=True)
class Order:
    """What a trial's process is to do.

    Attributes:
        number: the trial's number.
        objective: module whose `prepare(source)` and `run(folder, config, source, order)` are called.
        task: "run" a trial or "prepare" what all trials share.
        until: evaluations to train to, out of training.evaluations; None trains to the end.
        continues: number of the trial whose training goes on here, or None.
        values: what the trial's configuration changes, by path.
        place: bracket and rung of Hyperband, in words; else "".
        stop_hopeless: whether it may end itself when it falls behind the others.
        judge: whether it tells the dev score of each query and shopper, too.
    """

    number: int
    objective: str
    task: str = "run"
    until: int | None = None
    continues: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    stop_hopeless: bool = False
    judge: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        score: dev score of its best evaluation, or None when it failed.
        reason: why it failed, else "".
        stopped: "finished", "patience", "rung" (of Hyperband) or "hopeless"; "" when it failed.
        steps, seconds: of its training; seconds without evaluations and start are in neither.
        wall: seconds that its process took; cpu: seconds of all cores that it had meanwhile.
        evaluations: [[step, dev score], ...] in order.
        facts: whatever else its objective tells.
    """

    score: float | None
    reason: str = ""
    stopped: str = ""
    steps: int | None = None
    seconds: float | None = None
    wall: float = 0.0
    cpu: float = 0.0
    evaluations: list[list[float]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def tune_folder(config: Config) -> Path:
    """Where a search leaves its trials and what it found."""
    return RunFolder(config).path / "tune"


def alone_at_search(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Holds a search for one process; the lock goes with the process, however it ends.

    Raises:
        BusyError: another process holds it; `tfrec tune show` tells how it stands.
    """
    return alone_at(folder, "searching", ".search.lock", again=False)


def trial_folder(folder: Path, number: int) -> Path:
    """The folder of one trial of a search."""
    return folder / f"trial_{number}"


def trial_numbers(folder: Path) -> list[int]:
    """Numbers of all trials that have been ordered, in order."""
    return sorted(int(path.parent.name.removeprefix("trial_")) for path in folder.glob("trial_*/order.json"))


def write_order(folder: Path, config: Config, order: Order) -> None:
    """Leaves what a trial's process needs; the order last, so that it is never there without its configuration."""
    atomic_write(folder / "config.yaml", plain_yaml(config))
    write_json(folder / "order.json", asdict(order))


def read_order(folder: Path) -> Order:
    """The order in a trial's folder."""
    return Order(**read_json(folder / "order.json"))


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Ends a trial."""
    write_json(folder / "outcome.json", asdict(outcome))


def read_outcome(folder: Path) -> Outcome | None:
    """How a trial ended; None when it has not."""
    file = folder / "outcome.json"
    return Outcome(**read_json(file)) if file.is_file() else None


def read_curve(folder: Path) -> dict[int, list[float]]:
    """Evaluations so far: number of the evaluation -> [step, best dev score up to it]."""
    file = folder / "curve.json"
    return {int(number): point for number, point in read_json(file).items()} if file.is_file() else {}


def write_curve(folder: Path, curve: dict[int, list[float]]) -> None:
    """Tells the others of an evaluation."""
    write_json(folder / "curve.json", {str(number): point for number, point in curve.items()})
