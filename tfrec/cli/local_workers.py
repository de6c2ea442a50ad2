"""Several processes of one command on this machine, as a cluster would start them, and what becomes of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from tfrec.cluster import VARIABLE
from tfrec.errors import TrainingError

LOST = 138  # the code of a worker that has lost another: Kubernetes' training operator starts such a one again
_WATCHED = "TFREC_WATCHED"
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 20.0  # for the others, when one has ended; TensorFlow misses a frozen one after some fifteen


def run_local_workers(count: int, arguments: Sequence[str]) -> int:
    """Runs `tfrec ARGUMENTS` in several processes, each on its share of the cores, until all have ended.

    Args:
        count: how many, at least 2; the first is the chief, whose output is shown.
        arguments: of the command.

    Returns:
        the exit code, 0 when all have done their work.

    Raises:
        TrainingError: a worker died; all others have been stopped then.
    """
    if os.environ.get(VARIABLE):
        raise TrainingError(f"{VARIABLE} is set, which names the workers already: leave --workers out, or unset it.")
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
        workers = stack.enter_context(_started(count, arguments, logs))
        while all(worker.poll() in (None, 0) for worker in workers):
            if all(worker.poll() == 0 for worker in workers):
                return 0
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        deadline = time.monotonic() + _SECONDS_TO_END
        while any(worker.poll() is None for worker in workers) and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        codes = [worker.poll() for worker in workers]
        return _told(codes, logs)


def end_with_parent() -> None:
    """Ends this process with the one that started it, where that was `run_local_workers`."""
    if os.environ.get(_WATCHED):
        threading.Thread(target=_wait_for_end, daemon=True).start()


def watched() -> bool:
    """Whether another process tells what becomes of this one."""
    return bool(os.environ.get(_WATCHED))


def _wait_for_end() -> None:
    os.read(0, 1)  # nothing is ever written: this is the parent's end, however it ended
    os._exit(1)


@contextlib.contextmanager
def _started(count: int, arguments: Sequence[str], logs: Sequence[IO[bytes]]) -> Iterator[list[Any]]:
    places = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    with contextlib.ExitStack() as stack:  # ports are free until just before the workers take them
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    workers: list[Any] = []
    try:
        for rank in range(count):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
            environment = os.environ | {
                VARIABLE: json.dumps(task), _WATCHED: "1",
                "PYTHONPATH": os.pathsep.join(place for place in places if place),
            }  # fmt: skip
            worker = subprocess.Popen(
                [sys.executable, "-m", "tfrec", *arguments],
                stdin=subprocess.PIPE,  # its end is our end, however we end
                stdout=None if rank == 0 else subprocess.DEVNULL,
                stderr=None if rank == 0 else logs[rank],
                env=environment,
                start_new_session=True,  # Ctrl-C reaches them through us
            )
            workers.append(worker)
            if len(cores) >= count:
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(worker.pid, cores[rank::count])  # before it counts its cores
        yield workers
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
            worker.stdin.close()


def _told(codes: Sequence[int | None], logs: Sequence[IO[bytes]]) -> int:
    """The exit code, of workers that have not all done their work; the chief's own mistakes it has told itself.

    Raises:
        TrainingError: one was killed, or told a mistake that nobody has seen.
    """
    if codes[0] not in (None, 0, LOST) and codes[0] > 0:
        return int(codes[0])
    guilty = [rank for rank, code in enumerate(codes) if code not in (None, 0, LOST)]
    if not guilty:
        guilty = [rank for rank, code in enumerate(codes) if code is None] or [0]
    rank = guilty[0]
    code = codes[rank]
    why = "does not answer" if code is None else f"ended with code {code}"
    if code is not None and code < 0:
        why = f"was ended by {signal.Signals(-code).name}"
    logs[rank].seek(0)
    last = [line for line in logs[rank].read().decode("utf-8", "replace").splitlines() if line.strip()][-1:]
    if code is not None and code > 0 and last and last[0].startswith("error: "):
        why = last[0].removeprefix("error: ").rstrip(".")
    raise TrainingError(
        f"Worker {rank} of {len(codes)} (counted from 0) {why}; all have stopped. The same command goes on from the "
        "last checkpoint, also with another number of workers."
    )
