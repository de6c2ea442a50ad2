"""What makes an oracle of KerasTuner start from the configuration's own values and survive a kill of anybody."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.files import write_json
from tfrec.tuner.kerastuner import Trial, keras_tuner

_SEEDS_PER_TRIAL = 1000
ENDED = ("COMPLETED", "FAILED")


def _nothing(number: int, values: dict[str, Any]) -> None:
    """What is done about a trial when nobody asked for anything."""


# Mixed into oracles; alone it is none.
_Oracle: Any = keras_tuner.Oracle if TYPE_CHECKING else object


class Durable(_Oracle):
    """Proposes the values of each trial from its number, the seed and the other trials, and from nothing else.

    KerasTuner loses or repeats a trial when it is killed between two of its writes, leaves half-written files, does not
    save its random state, and waits for a dead worker for ever. Here every file is replaced whole, `reload` makes the
    trials' own files decide, `release` gives a lost worker's trial back, and a trial that is ended twice counts once.

    Attributes:
        spent: tells whether the time budget allows no further trial.
        on_created: called with number and values of a trial before its worker hears of it.
        on_ended: called with the number of a trial that has ended.
    """

    trials: dict[str, Any]
    _retry_queue: list[str]
    _tried_so_far: set[str]
    _id_to_hash: Any
    spent: Callable[[], bool] = staticmethod(lambda: False)
    on_created: Callable[[int, dict[str, Any]], None] = staticmethod(_nothing)
    on_ended: Callable[[int], None] = staticmethod(lambda number: None)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the values of a new trial; those of the base configuration to the first."""
        number = int(trial_id)
        if number == 0:
            return {"status": "RUNNING", "values": self._default_values()}
        if self.spent():
            return {"status": "STOPPED"}
        self._seed_state = self.seed + _SEEDS_PER_TRIAL * number
        self._random_state = np.random.RandomState(self._seed_state)
        with warnings.catch_warnings():  # sklearn's, about a kernel fitted to a handful of points
            warnings.simplefilter("ignore")
            return super().populate_space(trial_id)

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Any:
        """Gives a worker its next trial; nothing new while trials run that may yet come back from a dead worker."""
        trial = super().create_trial(tuner_id)
        if trial.status == "STOPPED" and self.ongoing_trials:
            self.tuner_ids.add(tuner_id)
            return Trial(self.hyperparameters.copy(), trial.trial_id, "IDLE")
        if trial.status == "RUNNING":
            self.on_created(int(trial.trial_id), dict(trial.hyperparameters.values))
        return trial

    @keras_tuner.synchronized
    def update_trial(self, trial_id: str, metrics: dict[str, float], step: int = 0) -> Any:
        """Records a score, once."""
        trial = self.trials[trial_id]
        told = all(trial.metrics.exists(name) for name in metrics)
        return trial if trial.status in ENDED or told else super().update_trial(trial_id, metrics, step)

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """Ends a trial, once; its values are those that this oracle gave, whatever came back over the wire."""
        own = self.trials[trial.trial_id]
        if own.trial_id not in self.end_order:
            ended = Trial(own.hyperparameters, own.trial_id, trial.status, trial.message)
            with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner tells of retries
                super().end_trial(ended)
            self._retry_queue = [name for name in self._retry_queue if name != own.trial_id]
            self.on_ended(int(own.trial_id))
        for tuner_id in [name for name, ongoing in self.ongoing_trials.items() if ongoing.trial_id == own.trial_id]:
            self.ongoing_trials.pop(tuner_id)

    @property
    def waiting(self) -> bool:
        """Whether a trial that has begun waits for a worker to take it up."""
        return bool(self._retry_queue)

    def release(self, tuner_id: str) -> None:
        """Takes the trial of a lost worker up again: the next worker that asks gets it."""
        self.tuner_ids.discard(tuner_id)
        trial = self.ongoing_trials.pop(tuner_id, None)
        held = {ongoing.trial_id for ongoing in self.ongoing_trials.values()}
        if trial is not None and trial.status not in ENDED and trial.trial_id not in held:
            self._retry_queue.append(trial.trial_id)

    def adopt(self, tuner_id: str, trial_id: str) -> None:
        """Gives a waiting trial to the worker that turns out to be still at it, as after a restart of the chief."""
        self.tuner_ids.add(tuner_id)
        if trial_id in self._retry_queue and tuner_id not in self.ongoing_trials:
            self._retry_queue.remove(trial_id)
            self.ongoing_trials[tuner_id] = self.trials[trial_id]

    def save(self) -> None:
        """Replaces oracle.json as a whole."""
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial: Any) -> None:
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        """Reads the state back; exactly the trials that have not ended are run again."""
        super().reload()
        self.trials = {name: self.trials[name] for name in sorted(self.trials, key=int)}  # the disk has its own order
        ended = [name for name, trial in self.trials.items() if trial.status in ENDED]
        self._retry_queue = sorted((name for name in self.trials if name not in ended), key=int, reverse=True)
        self.start_order = sorted(self.trials, key=int)
        self.end_order += sorted((name for name in ended if name not in self.end_order), key=int)
        self._tried_so_far, self._id_to_hash = set(), type(self._id_to_hash)(lambda: None)
        for name in self.start_order:
            self._record_values(self.trials[name])

    def _default_values(self) -> dict[str, Any]:
        values = keras_tuner.HyperParameters()
        for parameter in self.hyperparameters.space:
            values.merge([parameter])
            if values.is_active(parameter):
                values.values[parameter.name] = parameter.default
        return values.values
