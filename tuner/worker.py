"""A worker: asks the chief for trials over KerasTuner's protocol, and outlives a restart of the chief."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc

from tfrec.config import load_config
from tfrec.errors import TfrecError, TrainingError
from tfrec.files import atomic_write, write_json
from tfrec.tuner.kerastuner import OracleClient, get_service, get_service_grpc
from tfrec.tuner.plan import Plan
from tfrec.tuner.space import space_of
from tfrec.tuner.trial import FATAL
from tfrec.tuner.tuner import TrialTuner

TUNER_ID, ADDRESS, PORT = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"
TUNER_KEY = "tuner-id"  # metadata of a heartbeat
_RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 200), ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000),
]  # fmt: skip
_PATIENCE = 15 * 60.0  # seconds that a chief may be away
T = TypeVar("T")


class PatientClient(OracleClient):
    """KerasTuner's client, which repeats what a chief that dies in the middle has not answered.

    Every call may come twice: the chief counts a trial once, however often it hears of it.

    Args:
        oracle: of the worker, for its settings; the chief's decides.
    """

    def __init__(self, oracle: Any) -> None:
        super().__init__(oracle)
        # KerasTuner's own channel waits up to two minutes before it looks for a chief that was away once more.
        address = f"{os.environ[ADDRESS]}:{os.environ[PORT]}"
        self.stub = get_service_grpc().OracleStub(grpc.insecure_channel(address, _RECONNECT))

    def create_trial(self, tuner_id: str) -> Any:
        """The worker's next trial."""
        return self._patiently(lambda: super(PatientClient, self).create_trial(tuner_id))

    def get_trial(self, trial_id: str) -> Any:
        """A trial as the chief knows it."""
        return self._patiently(lambda: super(PatientClient, self).get_trial(trial_id))

    def update_trial(self, trial_id: str, metrics: dict[str, float], step: int = 0) -> Any:
        """Tells a score."""
        return self._patiently(lambda: super(PatientClient, self).update_trial(trial_id, metrics, step))

    def end_trial(self, trial: Any) -> None:
        """Tells that a trial has ended."""
        self._patiently(lambda: super(PatientClient, self).end_trial(trial))

    def beat(self, trial_id: str) -> None:
        """Tells the chief that the worker is at the trial still; a chief that is away hears the next one."""
        with contextlib.suppress(grpc.RpcError):
            self.stub.GetTrial(
                get_service().GetTrialRequest(trial_id=trial_id), timeout=2, metadata=((TUNER_KEY, self.tuner_id),)
            )

    def _patiently(self, call: Callable[[], T]) -> T:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                    raise TrainingError(f"The search's chief refuses: {error.details()}") from None
                if time.monotonic() > deadline:
                    raise TrainingError(
                        f"The search's chief has been away for {_PATIENCE / 60:.0f} minutes: start it again."
                    ) from None
                time.sleep(0.2)


def work(plan: Plan, workers: int = 1) -> None:
    """Runs trials until the chief has no more; the environment says where it is.

    Args:
        plan: the search.
        workers: trials at a time on this machine, over all of its workers.

    Raises:
        TfrecError: something failed that would fail every trial, or the chief stayed away.
    """
    TrialTuner(plan, workers, client=PatientClient).search()


def local_worker(base: Path, objective: str, tuner_id: str, port: int, workers: int) -> None:
    """The main function of a worker process on the chief's machine; it ends with the chief.

    Args:
        base: file of the base configuration.
        objective: see Plan.
        tuner_id: the worker's name.
        port: of the chief.
        workers: how many there are.
    """
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ |= {TUNER_ID: tuner_id, ADDRESS: "127.0.0.1", PORT: str(port)}
    atomic_write(base.parent / "workers" / f"{tuner_id}.pid", f"{os.getpid()}\n")
    config = load_config(base)
    try:
        work(Plan(config, space_of(config), objective), workers)
    except TfrecError as error:
        write_json(base.parent / "workers" / f"{tuner_id}.json", {"kind": type(error).__name__, "message": str(error)})
        sys.exit(FATAL)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
