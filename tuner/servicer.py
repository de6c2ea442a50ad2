"""What a chief answers its workers, over KerasTuner's protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import grpc

from tfrec.tuner.kerastuner import OracleServicer, Trial, get_service, keras_tuner
from tfrec.tuner.worker import TUNER_KEY

LEASE_SECONDS = 60.0  # a worker elsewhere that is not heard of for so long is dead; it tells every second
_GRACE_SECONDS = 2.5  # in which workers that have outlived a chief tell the next one what they are at


class Servicer(OracleServicer):
    """Answers workers. Trials travel without values: the trial's folder holds its configuration.

    (KerasTuner's messages round values to 32 bits, print conditions to standard output, and drop the reason of a
    failure.)

    Args:
        oracle: the oracle of the search.
    """

    def __init__(self, oracle: Any) -> None:
        super().__init__(oracle)
        self.lock = threading.RLock()
        self.heard: dict[str, float] = {}
        self.failure: Exception | None = None
        self._begun = time.monotonic()

    def CreateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's names
        """Gives a worker its next trial."""
        return self._answered(context, lambda: self._created(request.tuner_id))

    def GetTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Tells what is known of a trial; with a worker's name in the metadata it is that worker's sign of life."""

        def answer() -> Any:
            tuner_id = dict(context.invocation_metadata()).get(TUNER_KEY)
            if tuner_id is not None:
                self.heard[tuner_id] = time.monotonic()
                self.oracle.adopt(tuner_id, request.trial_id)
            return get_service().GetTrialResponse(trial=_slim(self.oracle.get_trial(request.trial_id)))

        return self._answered(context, answer, request.trial_id)

    def UpdateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Records a score."""

        def answer() -> Any:
            trial = self.oracle.update_trial(request.trial_id, request.metrics, step=request.step)
            return get_service().UpdateTrialResponse(trial=_slim(trial))

        return self._answered(context, answer, request.trial_id)

    def EndTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ends a trial."""
        return self._answered(context, lambda: super(Servicer, self).EndTrial(request, context), request.trial.trial_id)

    def GetSpace(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The space is in the shared folder."""
        return get_service().GetSpaceResponse(hyperparameters=keras_tuner.HyperParameters().to_proto())

    @property
    def done(self) -> bool:
        """Whether all trials have ended and every worker has been told so, or is dead."""
        return self.stop_triggered and not self.oracle.ongoing_trials and not self.oracle.tuner_ids

    def release(self, tuner_id: str) -> None:
        """Gives up a worker."""
        with self.lock:
            self.heard.pop(tuner_id, None)
            self.oracle.release(tuner_id)

    def release_silent(self) -> None:
        """Gives up all workers that have not been heard of for the length of a lease."""
        with self.lock:
            for tuner_id in list(self.oracle.tuner_ids):
                if time.monotonic() - self.heard.setdefault(tuner_id, time.monotonic()) > LEASE_SECONDS:
                    self.release(tuner_id)

    def _created(self, tuner_id: str) -> Any:
        self.heard[tuner_id] = time.monotonic()
        if self.oracle.waiting and time.monotonic() < self._begun + _GRACE_SECONDS:
            trial = Trial(keras_tuner.HyperParameters(), "", "IDLE")  # somebody may be at what waits
        else:
            trial = self.oracle.create_trial(tuner_id)
        if trial.status == "STOPPED":
            self.stop_triggered = True
            self.heard.pop(tuner_id, None)
        return get_service().CreateTrialResponse(trial=_slim(trial))

    def _answered(self, context: Any, answer: Callable[[], Any], trial_id: str | None = None) -> Any:
        with self.lock:
            if self.failure is not None:  # what this chief would still count, the next one would not know of
                context.abort(grpc.StatusCode.UNAVAILABLE, "the chief is ending")
            if trial_id is not None and trial_id not in self.oracle.trials:
                context.abort(grpc.StatusCode.NOT_FOUND, f"it knows no trial {trial_id}, so it leads another search.")
            begun = time.monotonic()
            try:
                return answer()
            except Exception as error:  # noqa: BLE001  told to the worker and, by the main thread, to the user
                self.failure = error
                context.abort(grpc.StatusCode.INTERNAL, str(error))
            finally:  # nobody is silent because the chief was busy, as when many trials make a proposal slow
                busy = time.monotonic() - begun
                self.heard = {name: moment + busy for name, moment in self.heard.items()}


def _slim(trial: Any) -> Any:
    bare = Trial(keras_tuner.HyperParameters(), trial.trial_id, trial.status)
    bare.metrics = trial.metrics
    return bare.to_proto()
