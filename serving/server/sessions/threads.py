"""Threads: how many TensorFlow takes, and work that steps back behind requests."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger("tfrec.serving.server")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_tensorflow_threads(intra_op: int = 1) -> None:
    """Sets the threads inside one TensorFlow op; to be called before anything imports TensorFlow.

    The server runs as many batches at once as there are cores, each in one thread: that gives more answers per second
    than ops that share the cores. TensorFlow fixes its pools at the first op, which `tfrec.tensorflow_setup` runs.
    """
    if "tensorflow" in sys.modules:
        logger.info("TensorFlow runs already in this process: its thread settings are kept")
        return
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(intra_op)
    os.environ.setdefault("OMP_NUM_THREADS", str(intra_op))


def in_background(work: Callable[[], Result], niceness: int, name: str) -> Result:
    """Runs work in a thread of its own that gives way to others, and waits for it.

    Args:
        work: what to do; what it raises is raised here.
        niceness: added to the thread's nice value (Linux; elsewhere it runs as usual).
        name: of the thread.
    """
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            if niceness and sys.platform == "linux":
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(os.nice(0) + niceness, 19))
            outcome.append(work())
        except BaseException as error:  # handed over to the caller
            failure.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
