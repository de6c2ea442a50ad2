"""The process of one trial: `python -m tfrec.tuner.trial FOLDER`.

A process of its own gives its memory back, and takes nobody with it when it runs out of memory or crashes. It ends as
soon as whoever started it does: standard input is a pipe that then closes.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import sys
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfrec.config import load_config
from tfrec.errors import EvaluationError, TfrecError, TrainingError
from tfrec.files import told_system_error, write_json
from tfrec.output import replaceable_output
from tfrec.tuner.folder import Order, Outcome, read_order, read_outcome, write_outcome

FATAL = 3  # exit code: no other trial would fare better; fatal.json says why
_ORPHAN = 4


def main(folder: Path) -> int:
    """Runs the trial of a folder unless it has an outcome, and gives the exit code."""
    replaceable_output()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):  # no Linux; there the kernel, when short of memory, takes this process first
        Path("/proc/self/oom_score_adj").write_text("500")
    with _alone(folder):
        if read_outcome(folder) is None:
            try:
                write_outcome(folder, _outcome(folder, read_order(folder)))
            except TfrecError as error:
                write_json(folder / "fatal.json", {"kind": type(error).__name__, "message": str(error)})
                return FATAL
    return 0


def _outcome(folder: Path, order: Order) -> Outcome:
    begun = time.monotonic()
    outcome = _attempt(folder, order)
    if outcome.score is not None and not math.isfinite(outcome.score):
        outcome = replace(
            outcome, score=None, stopped="", reason="The dev score is not a number: the training diverged."
        )
    return replace(outcome, wall=round(time.monotonic() - begun, 2), cpu=round(time.process_time(), 2))


def _attempt(folder: Path, order: Order) -> Outcome:
    objective: Any = importlib.import_module(order.objective)
    config = load_config(folder / "config.yaml")
    if order.task == "prepare":
        return Outcome(0.0, facts=objective.prepare(config))
    base = next(place / "base.yaml" for place in folder.parents if (place / "base.yaml").is_file())
    try:
        return objective.run(folder, config, load_config(base), order)
    except (TrainingError, EvaluationError) as error:  # of these values; other mistakes would fail every trial
        return Outcome(None, " ".join(str(error).split()))
    except TfrecError:
        raise
    except MemoryError:
        return Outcome(None, "It ran out of memory.")
    except Exception as error:  # noqa: BLE001  a bug that some values meet must not end the search
        if (sentence := told_system_error(error)) is not None:  # a full disk would fail every trial
            raise TfrecError(sentence) from error
        traceback.print_exc()
        return Outcome(None, f"{type(error).__name__}: {' '.join(str(error).split())[:300] or 'no message'}")


class _alone:
    """Waits until no other process is at the same trial; the lock goes with the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"

    def __enter__(self) -> None:
        import fcntl

        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _die_with_parent() -> None:
    while os.read(0, 1):  # not through sys.stdin, whose lock would be held when the interpreter ends
        pass
    os._exit(_ORPHAN)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
