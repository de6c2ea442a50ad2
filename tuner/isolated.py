"""Running a trial in a process of its own, and telling why it died when it did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import tfrec.errors
from tfrec.errors import TfrecError
from tfrec.files import read_json, write_json
from tuner.folder import Outcome, read_outcome, write_outcome
from tuner.trial import FATAL

_DEATHS = 2  # a process that was ended by a signal is started once more: perhaps somebody else needed the memory
_SECONDS_BETWEEN_BEATS = 1.0


def run_isolated(folder: Path, beat: Callable[[], None] = lambda: None) -> Outcome:
    """Runs the trial of a folder to its outcome; one that has an outcome already is not run again.

    Args:
        folder: with order.json and config.yaml.
        beat: called about once a second while the trial runs.

    Returns:
        how it ended; a crash is an outcome with a reason.

    Raises:
        TfrecError: something that would fail every trial (the disk, the encoder), of the kind it had in the process.
    """
    while (outcome := read_outcome(folder)) is None:
        code = _run_once(folder, beat)
        if code == FATAL:
            fatal = read_json(folder / "fatal.json")
            raise getattr(tfrec.errors, fatal["kind"], TfrecError)(fatal["message"])
        if code and read_outcome(folder) is None:
            _note_death(folder, code)
    return outcome


def _run_once(folder: Path, beat: Callable[[], None]) -> int:
    # Started by -m, so that the place of these packages has to be known wherever the command is run from.
    places = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(place for place in places if place)}
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tuner.trial", str(folder)],
            stdin=subprocess.PIPE,  # its end is our end, however we end
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches it through us
        )
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


def _note_death(folder: Path, code: int) -> None:
    file = folder / "deaths.json"
    deaths = [*(read_json(file) if file.is_file() else []), code]
    write_json(file, deaths)
    if code > 0 or sum(death < 0 for death in deaths) >= _DEATHS:
        write_outcome(folder, Outcome(None, f"{_told(code)}; the end of {folder / 'log.txt'} may say more."))


def _told(code: int) -> str:
    if code == -signal.SIGKILL:
        return f"Its process was killed {_DEATHS} times: most likely the machine ran out of memory"
    if code < 0:
        return f"Its process crashed {_DEATHS} times, last with {signal.Signals(-code).name}"
    return f"Its process ended with code {code}"
