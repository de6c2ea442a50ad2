"""Running a trial in a process of its own, and telling why it died when it did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import tfrec.errors
from tfrec.errors import TfrecError, TrainingError
from tfrec.files import read_json, write_json
from tfrec.tuner.folder import Outcome, read_outcome, write_outcome
from tfrec.tuner.trial import FATAL

_DEATHS = 2  # a process that was ended by a signal is started once more: perhaps somebody else needed the memory
_SECONDS_BETWEEN_BEATS = 1.0
_SECONDS_FOR_FILES = 60.0  # that a shared disk may take to show what another machine has written


def run_isolated(folder: Path, beat: Callable[[], None] = lambda: None, threads: int | None = None) -> Outcome:
    """Runs the trial of a folder to its outcome; one that has an outcome already is not run again.

    Args:
        folder: with order.json and config.yaml.
        beat: called about once a second while the trial runs; what it raises ends the trial's process.
        threads: that the trial may compute with; None leaves them all to it.

    Returns:
        how it ended; a crash is an outcome with a reason.

    Raises:
        TfrecError: something that would fail every trial (the disk, the encoder), of the kind it had in the process.
    """
    _wait_for_order(folder, beat)
    while (outcome := read_outcome(folder)) is None:
        begun = time.monotonic()
        code = _run_once(folder, beat, threads)
        if code == FATAL:
            fatal = read_json(folder / "fatal.json")
            raise getattr(tfrec.errors, fatal["kind"], TfrecError)(fatal["message"])
        if code and read_outcome(folder) is None:
            _note_death(folder, code, time.monotonic() - begun)
    return outcome


def share_of_cores(workers: int) -> int | None:
    """Threads for each of several trials at a time, so that they do not get into each other's way; None for one."""
    return None if workers == 1 else max(1, (os.cpu_count() or 1) // workers)


def _wait_for_order(folder: Path, beat: Callable[[], None]) -> None:
    deadline = time.monotonic() + _SECONDS_FOR_FILES
    while not (folder / "order.json").is_file():
        if time.monotonic() > deadline:
            raise TrainingError(
                f"The chief has ordered a trial, but {folder / 'order.json'} is not there: give the chief and all "
                "workers the same runs_dir, on a disk that they share."
            )
        time.sleep(_SECONDS_BETWEEN_BEATS)
        beat()


def _run_once(folder: Path, beat: Callable[[], None], threads: int | None) -> int:
    # Started by -m, so that the place of these packages has to be known wherever the command is run from.
    places = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(place for place in places if place)}
    if threads is not None:
        environment.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    with (folder / "log.txt").open("ab") as log:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "tfrec.tuner.trial", str(folder)],
                stdin=subprocess.PIPE,  # its end is our end, however we end
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches it through us
            )
        except OSError as error:
            raise TrainingError(f"The process of {folder} could not be started: {error.strerror}.") from error
        try:
            while True:
                try:
                    return process.wait(_SECONDS_BETWEEN_BEATS)
                except subprocess.TimeoutExpired:
                    beat()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            assert process.stdin is not None
            process.stdin.close()


def _note_death(folder: Path, code: int, seconds: float) -> None:
    file = folder / "deaths.json"
    deaths = [*(read_json(file, list) if file.is_file() else []), {"code": code, "seconds": round(seconds, 2)}]
    write_json(file, deaths)
    if code > 0 or sum(death["code"] < 0 for death in deaths) >= _DEATHS:
        reason = f"{_told(code)}; the end of {folder / 'log.txt'} may say more."
        write_outcome(folder, Outcome(None, reason, wall=round(sum(death["seconds"] for death in deaths), 2)))


def _told(code: int) -> str:
    if code == -signal.SIGKILL:
        return f"Its process was killed {_DEATHS} times: most likely the machine ran out of memory"
    if code < 0:
        return f"Its process crashed {_DEATHS} times, last with {signal.Signals(-code).name}"
    return f"Its process ended with code {code}"
