"""The chief: hands out trials over KerasTuner's protocol, takes up those of dead workers, ends when the work does."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

import tfrec.errors
from tfrec.errors import TfrecError, TrainingError
from tfrec.files import read_json
from tuner.kerastuner import OracleServicer, Trial, get_service, get_service_grpc, keras_tuner
from tuner.plan import Plan
from tuner.trial import FATAL
from tuner.tuner import TrialTuner
from tuner.worker import ADDRESS, PORT, TUNER_ID, TUNER_KEY, local_worker

LEASE_SECONDS = 60.0  # a worker elsewhere that is not heard of for so long is dead; it tells every second
_DEATHS = 5  # of workers on this machine in a row, without a trial ending between them
_TICK = 0.1


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

        return self._answered(context, answer)

    def UpdateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Records a score."""

        def answer() -> Any:
            trial = self.oracle.update_trial(request.trial_id, request.metrics, step=request.step)
            return get_service().UpdateTrialResponse(trial=_slim(trial))

        return self._answered(context, answer)

    def EndTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ends a trial."""
        return self._answered(context, lambda: super(Servicer, self).EndTrial(request, context))

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
        trial = self.oracle.create_trial(tuner_id)
        if trial.status == "STOPPED":
            self.stop_triggered = True
            self.heard.pop(tuner_id, None)
        return get_service().CreateTrialResponse(trial=_slim(trial))

    def _answered(self, context: Any, answer: Callable[[], Any]) -> Any:
        with self.lock:
            try:
                return answer()
            except Exception as error:  # noqa: BLE001  told to the worker and, by the main thread, to the user
                self.failure = error
                context.abort(grpc.StatusCode.INTERNAL, str(error))


def lead(plan: Plan, workers: int, on_change: Callable[[], None] = lambda: None) -> None:
    """Runs a search as chief until all trials have ended.

    Args:
        plan: the search.
        workers: to start on this machine; 0 waits for those that the cluster starts.
        on_change: called when a trial begins or ends.

    Raises:
        TfrecError: something failed that would fail every trial; the workers die again and again.
    """
    address = f"{os.environ.get(ADDRESS, '127.0.0.1')}:{os.environ.get(PORT, '0')}"
    kept = {name: os.environ.pop(name) for name in (TUNER_ID, ADDRESS, PORT) if name in os.environ}
    try:
        tuner = TrialTuner(plan, max(1, workers), on_change)  # holds the oracle itself; it talks to no other
    finally:
        os.environ.update(kept)
    tuner.save()
    servicer = Servicer(tuner.oracle)
    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    get_service_grpc().add_OracleServicer_to_server(servicer, server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise TrainingError(f"The chief cannot listen on {address}: free the port or set {PORT} to another.") from error
    server.start()
    crew = _Crew(plan, servicer, port, workers)
    try:
        while not (crew.finished if workers else servicer.done):
            time.sleep(_TICK)
            if servicer.failure is not None:
                raise servicer.failure
            crew.look_after()
            servicer.release_silent()
        tuner.save()
    finally:
        crew.end()
        server.stop(1).wait()


class _Crew:
    """The workers on the chief's machine."""

    def __init__(self, plan: Plan, servicer: Servicer, port: int, size: int) -> None:
        self._plan, self._servicer, self._port, self._size = plan, servicer, port, size
        self._context: Any = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tuner.worker"])  # KerasTuner takes seconds to import: once for all
        self._deaths, self._ended = 0, 0
        self._members = {f"worker-{number}": self._started(f"worker-{number}") for number in range(size)}

    @property
    def finished(self) -> bool:
        """Whether every worker has been told that there is no more to do."""
        return not self._members

    def look_after(self) -> None:
        """Replaces dead workers and takes their trials up."""
        ended = len(self._servicer.oracle.end_order)
        if ended != self._ended:
            self._deaths, self._ended = 0, ended
        for name, process in list(self._members.items()):
            if process.exitcode is None:
                continue
            if process.exitcode == FATAL:
                raise _told(self._plan.folder / "workers" / f"{name}.json")
            self._servicer.release(name)
            if process.exitcode == 0:
                del self._members[name]
                continue
            self._deaths += 1
            if self._deaths >= _DEATHS * self._size:
                raise TrainingError(
                    f"The workers of the search died {self._deaths} times in a row, last with code {process.exitcode}: "
                    f"the logs in {self._plan.folder}/trial_*/log.txt may say why."
                )
            self._members[name] = self._started(name)

    def end(self) -> None:
        """Ends all workers, and with them their trials' processes."""
        for process in self._members.values():
            process.kill()
        for process in self._members.values():
            process.join()

    def _started(self, name: str) -> Any:
        arguments = (self._plan.folder / "base.yaml", self._plan.objective, name, self._port, self._size)
        process = self._context.Process(target=local_worker, args=arguments, name=name)
        process.start()
        return process


def _slim(trial: Any) -> Any:
    bare = Trial(keras_tuner.HyperParameters(), trial.trial_id, trial.status)
    bare.metrics = trial.metrics
    return bare.to_proto()


def _told(file: Path) -> TfrecError:
    fatal = read_json(file)
    return getattr(tfrec.errors, fatal["kind"], TfrecError)(fatal["message"])
