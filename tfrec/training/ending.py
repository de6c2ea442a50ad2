"""Which weights a run ends with: a fixed mixture, unless dev shows beyond chance that others rank better."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tfrec.choosing.chance import beyond_chance
from tfrec.cluster import follows
from tfrec.config.modelling import TrainingConfig
from tfrec.models.two_tower import TwoTower
from tfrec.training import checkpoints, training_state
from tfrec.training.interpolation import Interpolation

_USUAL_MIXTURE = 0.5  # of weights that nobody can judge; where dev judges, the last ones


class Evaluate(Protocol):
    """What scores the model as it stands (tfrec.evaluation.dev.DevEvaluation).

    Attributes:
        decides: whether weights may be chosen by it.
        requests: per task what each request reached at the last call, float64 [Q].
    """

    decides: bool
    requests: list[np.ndarray]

    def __call__(self) -> dict[str, float]:
        """Metrics by name, and their mean under "score"."""


class Ending:
    """The evaluations of a run, and the weights that it leaves as the best.

    Without a dev split to judge them these are `training.mixture` of the last weights: the same share for every shop,
    for a handful of queries chooses by luck. Where dev decides, the weights of an evaluation or of another mixture take
    their place, but only for a gain that is beyond chance; a run that patience ended keeps the best.

    Args:
        training: the configuration.
        evaluate: scores the model; asked only where it decides or the run is watched.
        model: the model.
        folder: of the training; its best weights are left here.
        signature: of the training.

    Attributes:
        history: step, seconds and metrics of every evaluation; of a mixture, its share.
        watched: whether somebody compares this run with others at its evaluations.
        number: of the weights that are kept (`training_state.best_folder`).
    """

    def __init__(
        self, training: TrainingConfig, evaluate: Evaluate, model: TwoTower, folder: Path, signature: str
    ) -> None:
        self._training, self._evaluate, self._model = training, evaluate, model
        self._folder, self._signature, self.number = folder, signature, 0
        self.history: list[dict[str, float]] = []
        self.watched = False
        self._stale, self._best = 0, -math.inf
        self._best_requests: list[np.ndarray] = []

    @property
    def decided(self) -> bool:
        """Whether dev decides."""
        return self._evaluate.decides

    @property
    def mixture(self) -> float:
        """The share of the last weights that a run ends with when nothing speaks for others."""
        given = self._training.mixture
        return given if given is not None else 1.0 if self.decided else _USUAL_MIXTURE

    @property
    def mixes(self) -> bool:
        """Whether weights between the first and the last are wanted."""
        return self.mixture != 1.0 or (self.decided and bool(self._training.interpolation))

    def judge(self, step: int, seconds: float, share: float = 1.0) -> dict[str, float]:
        """Evaluates the model as it stands, keeps it where it is the best so far, and gives the metrics.

        Args:
            step: steps done.
            seconds: training time so far.
            share: of the last weights in the model.
        """
        metrics = self._evaluate() if self.decided or self.watched else {}
        point = {} if share == 1.0 else {"share": share}
        self.history.append({"step": step, "seconds": round(seconds, 1), **point, **metrics})
        if not self.decided:
            return metrics
        if metrics["score"] > self._best:
            self._stale, self._best, self._best_requests = 0, metrics["score"], self._evaluate.requests
            self._keep({"step": step, **point, **metrics})
        else:
            self._stale += 1
        return metrics

    @property
    def impatient(self) -> bool:
        """Whether dev has not gained for `training.patience` evaluations."""
        return self.decided and self._stale >= self._training.patience

    def settle(self, line: Interpolation, step: int, seconds: float, stopped: str) -> str:
        """Leaves the weights that the run ends with as `best`; the model's are then anywhere on the line.

        Args:
            line: from the first weights to the last, which the model holds.
            step: steps done.
            seconds: training time.
            stopped: "patience" where dev ended the run.

        Returns:
            which weights these are, and chosen by how many requests: one sentence.
        """
        share = self.mixture
        usual = "the last weights" if share == 1.0 else f"{share:g} of the last weights, mixed with the first,"
        if not self.decided or share != 1.0 or not self._evaluate.requests:  # nothing yet: gone on after a kill
            line.go_to(share)
            if self.watched or self.decided:
                self.judge(step, seconds, share)
        default = self._evaluate.requests
        for other in self._training.interpolation if self.decided else ():
            if other != share:
                line.go_to(other)
                self.judge(step, seconds, other)
        if self.decided:
            tried, count = len(self.history), sum(map(len, default))
            gains = [one - usual_one for one, usual_one in zip(self._best_requests, default, strict=True)]
            if stopped == "patience" or beyond_chance(*gains, alternatives=max(1, tried - 1)):
                return f"training: {self._best_told()} are kept, chosen among {tried} by {count} requests of dev"
            why = f"; {count} requests of dev show no gain beyond chance in {tried - 1} others"
        else:
            why = "; no labelled request chooses them"
        line.go_to(share)
        self._keep({"step": step, "share": share})
        return f"training: {usual} are kept{why}"

    def state(self) -> dict[str, Any]:
        """What a killed run needs to go on, as plain JSON values."""
        requests = [some.tolist() for some in self._best_requests]
        return {
            "history": self.history, "best": self._best, "best_number": self.number, "best_requests": requests,
            "stale": self._stale,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `state` gave."""
        self.history, self._best, self._stale = state["history"], state["best"], state["stale"]
        self.number = state["best_number"]
        self._best_requests = [np.array(some, np.float64) for some in state["best_requests"]]

    def _keep(self, state: dict[str, Any]) -> None:
        if follows():
            return
        # Under another number than those before, which a state names until the next one is written.
        self.number = len(self.history)
        folder = training_state.best_folder(self._folder, self.number)
        checkpoints.save(folder, self._model.saved_variables, {"signature": self._signature, **state})

    def _best_told(self) -> str:
        best = max((point for point in self.history if "score" in point), key=lambda point: point["score"])
        share, step = best.get("share"), best["step"]
        return f"the weights of step {step:.0f}" if share is None else f"{share:g} of the last weights"
