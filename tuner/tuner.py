"""KerasTuner's tuner with a process for each trial: the same in a search by itself, in a chief and in a worker."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable
from typing import Any

from tfrec.files import write_json
from tfrec.tuner.budget import is_spent
from tfrec.tuner.folder import trial_folder
from tfrec.tuner.isolated import run_isolated, share_of_cores
from tfrec.tuner.kerastuner import OracleClient, TrialStatus, keras_tuner
from tfrec.tuner.oracles import make_oracle
from tfrec.tuner.plan import Plan
from tfrec.tuner.results import TrialResult, best_of, read_results, running
from tfrec.tuner.training import forget_checkpoints

_SECONDS_BETWEEN_REQUESTS = 0.5  # of a worker that is told to wait


class TrialTuner(keras_tuner.Tuner):
    """Runs the trials of a plan one after the other.

    Args:
        plan: the search.
        workers: trials at a time, over all tuners of the search.
        on_change: called when a trial begins or ends.
        client: makes the connection to the chief in a worker (see tfrec.tuner.worker); None in a search by itself.
    """

    oracle: Any

    def __init__(
        self, plan: Plan, workers: int = 1, on_change: Callable[[], None] = lambda: None, client: Any = None
    ) -> None:
        self.plan, self._workers, self._on_change = plan, workers, on_change
        self._asked = 0.0
        oracle = make_oracle(plan.config, plan.space)
        oracle.spent, oracle.on_created, oracle.on_ended = self._spent, self._created, self._ended
        with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner tells that it reloads
            super().__init__(oracle, directory=plan.folder, project_name="oracle")
        if client is not None and isinstance(self.oracle, OracleClient):
            self.oracle = client(oracle)

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> float:
        """Runs a trial in its own process and gives its dev score.

        Raises:
            FailedTrialError: the trial failed; its reason.
            TfrecError: something failed that would fail every trial.
        """
        trial_id = trial.trial_id
        beat = getattr(self.oracle, "beat", None)
        outcome = run_isolated(
            trial_folder(self.plan.folder, int(trial_id)),
            (lambda: beat(trial_id)) if beat else (lambda: None),
            share_of_cores(self._workers),
        )
        if outcome.score is None:
            raise keras_tuner.errors.FailedTrialError(outcome.reason)
        return outcome.score

    def search(self, *_: Any, **__: Any) -> None:
        """Runs all trials that have not ended.

        Raises:
            TfrecError: something failed that would fail every trial; the same search goes on from there later.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN")  # numpy's, about the best score of a failed trial
            warnings.filterwarnings("ignore", "The use case of calling")  # a trial that was told twice
            super().search(verbose=0)

    def _try_run_and_update_trial(self, trial: Any, *args: Any, **kwargs: Any) -> None:
        """Runs a trial and tells its score.

        KerasTuner takes whatever is raised meanwhile, a chief that is away or a full disk, for a fault of the trial.
        Here a trial has failed when its own process says so, and anything else ends the search, to be gone on with.
        """
        try:
            self._run_and_update_trial(trial, *args, **kwargs)
            trial.status = TrialStatus.COMPLETED
        except keras_tuner.errors.FailedTrialError as error:
            trial.status, trial.message = TrialStatus.FAILED, str(error)

    def pre_create_trial(self) -> None:
        """Asks the chief not more often than makes sense."""
        time.sleep(max(0.0, self._asked + _SECONDS_BETWEEN_REQUESTS - time.monotonic()) if self._is_worker() else 0.0)
        self._asked = time.monotonic()

    def on_search_begin(self) -> None:
        """Makes the search resumable from its first trial on."""
        self.save()

    def save(self) -> None:
        """Replaces the state files as a whole; workers have none."""
        if not self._is_worker():
            self.oracle.save()
            write_json(self._get_tuner_fname(), {})

    def results(self) -> list[TrialResult]:
        """All trials that have ended, in the order of their numbers."""
        return read_results(self.plan.folder, self.plan.config, self.plan.space)

    def _get_tuner_fname(self) -> str:
        return str(self.plan.folder / "oracle" / "tfrec.tuner.json")  # one name, however many workers there are

    def _spent(self) -> bool:
        workers = max(self._workers, len(self.oracle.tuner_ids))  # a cluster's come and go
        return is_spent(self.plan.config.tune, self.results(), workers, len(running(self.plan.folder)))

    def _created(self, number: int, values: dict[str, Any]) -> None:
        self.plan.order(number, values)
        self._on_change()

    def _ended(self, number: int) -> None:
        """Gives back the disk of all trials that are neither the best nor may be continued."""
        results = self.results()
        best = best_of(results)
        for result in results:
            if result is not best and not result.place:
                forget_checkpoints(trial_folder(self.plan.folder, result.number))
        self._on_change()
