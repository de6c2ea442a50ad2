"""An objective with a known optimum in place of a training: a process per trial, as in earnest, without TensorFlow."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.errors import EncoderError, TrainingError
from tfrec.tuner.folder import Order, Outcome, read_curve, trial_folder, write_curve
from tfrec.tuner.halving import Halt

PEAK = {"training.learning_rate": 6e-5, "training.temperature": 0.04}
UNITS = 40


def prepare(source: Config) -> dict[str, Any]:
    """Nothing is shared."""
    return {"data": "none"}


def value(config: Config) -> float:
    """1 at the peak, less elsewhere."""
    training = config.training
    away = math.log(training.learning_rate / PEAK["training.learning_rate"]) ** 2
    return math.exp(-away - math.log(training.temperature / PEAK["training.temperature"]) ** 2)


def run(folder: Path, config: Config, source: Config, order: Order) -> Outcome:
    """Rises towards the value over the evaluations; ANALYTIC_FAILS names trials that go wrong."""
    with (folder / "runs.txt").open("a") as log:
        log.write(f"{os.getpid()}\n")
    _fail(order.number)
    time.sleep(float(os.environ.get("ANALYTIC_SECONDS", "0")))
    curve, begun = [], 0
    if order.continues is not None:
        earlier = trial_folder(folder.parent, order.continues)
        write_curve(folder, read_curve(earlier))
        begun = max(read_curve(earlier))
    halt, stopped = Halt(folder, order, config.training.evaluations), "finished"
    for number in range(1, config.training.evaluations + 1):
        curve.append([float(number), value(config) * number / config.training.evaluations])
        history = [{"step": 0, "score": 0.0}, *({"step": step, "score": score} for step, score in curve)]
        if number < begun:
            continue
        reason = halt(number / config.training.evaluations, history)
        if reason is not None:
            stopped = reason
            break
    score = curve[-1][1]
    facts: dict[str, Any] = {"begun": begun}
    if order.judge:
        facts["values"] = {"search": {f"q{n}": score + 0.05 * math.sin(n + config.seed) for n in range(UNITS)}}
    return Outcome(score, "", stopped, len(curve), 0.1, evaluations=curve, facts=facts)


def _fail(number: int) -> None:
    kinds = dict(pair.split(":") for pair in os.environ.get("ANALYTIC_FAILS", "").split(",") if pair)
    kind = kinds.get(str(number))
    if kind == "training":
        raise TrainingError("it diverged: lower the rate")
    if kind == "bug":
        raise ValueError("a bug: of ours")
    if kind == "memory":
        raise MemoryError
    if kind == "killed":
        os.kill(os.getpid(), 9)
    if kind == "fatal" and not (Path(os.environ["ANALYTIC_MENDED"])).exists():
        raise EncoderError("The encoder is gone.")


def run_search(file: str, errors: str) -> None:
    """The main function of a process that searches, as `tfrec tune` does."""
    from tfrec.config import load_config
    from tfrec.tuner.search import search

    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    search(load_config(file), "analytic_objective")
