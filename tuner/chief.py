"""The chief: hands out trials over KerasTuner's protocol, takes up those of dead workers, ends when the work does."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

import tfrec.errors
from tfrec.errors import TfrecError, TrainingError
from tfrec.files import read_json
from tfrec.tuner.kerastuner import get_service_grpc
from tfrec.tuner.plan import Plan
from tfrec.tuner.servicer import Servicer
from tfrec.tuner.trial import FATAL
from tfrec.tuner.tuner import TrialTuner
from tfrec.tuner.worker import ADDRESS, PORT, TUNER_ID, local_worker

_DEATHS = 5  # of workers on this machine in a row, without a trial ending between them
_TICK = 0.1
_PROBE = "chief"


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
    if _is_over(tuner.oracle):
        return  # as when a chief is killed in the finals: its workers have been told and do not ask again
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
        self._context.set_forkserver_preload(["tfrec.tuner.worker"])  # KerasTuner takes seconds to import: once for all
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


def _is_over(oracle: Any) -> bool:
    """Whether there is no trial to hand out; what was made to see it waits for the first worker."""
    trial = oracle.create_trial(_PROBE)
    oracle.release(_PROBE)
    return trial.status == "STOPPED"


def _told(file: Path) -> TfrecError:
    fatal = read_json(file)
    return getattr(tfrec.errors, fatal["kind"], TfrecError)(fatal["message"])
