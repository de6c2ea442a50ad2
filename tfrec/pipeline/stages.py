"""Time and memory of each stage of a run, kept in stages.json for the report."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tfrec.cluster import follows
from tfrec.files import read_json, write_json
from tfrec.locks import alone_at

STAGES = {
    "prepare": "read, check, clean and split the files; load the encoder",
    "samples": "make and check training examples",
    "train": "train the towers",
    "student": "teach the small encoder that reads queries",
    "catalogue": "encode the catalogue",
    "choose": "tune words, choose what each scorer counts",
    "evaluate": "measure beside the baselines",
    "export": "write the SavedModel",
}  # in the order of a run
_SKIPPED = 0.9  # a stage that took less than this share of what it took before has found (most of) its work done


@contextlib.contextmanager
def stage(folder: Path, name: str, made_of: str = "") -> Iterator[None]:
    """Measures what happens inside, and notes it in the run's stages.json when it ends without an error.

    A stage that finds its work done is over soon: then what the work took stays noted.

    Args:
        folder: the run folder.
        name: one of STAGES.
        made_of: hash of the stage's inputs; what was noted of others is replaced.
    """
    if follows():  # the chief notes its own
        yield
        return
    wall, cpu = time.monotonic(), time.process_time()
    _forget_peak()
    yield
    taken = {
        "seconds": round(time.monotonic() - wall, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_bytes": _peak(),
        "ended": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "made_of": made_of,
    }
    with alone_at(folder, "noting a stage", ".stages.lock", wait=True):
        noted = read_stages(folder)
        before = noted.get(name, {})
        done = before.get("made_of") == made_of and taken["seconds"] < _SKIPPED * before.get("seconds", 0.0)
        if not done:
            write_json(folder / "stages.json", {n: s for n in STAGES if (s := {**noted, name: taken}.get(n))})


def read_stages(folder: Path) -> dict[str, dict[str, Any]]:
    """What was noted: stage -> seconds, cpu_seconds (of all threads), peak_bytes of the process, ended (UTC)."""
    file = folder / "stages.json"
    return read_json(file) if file.is_file() else {}


def _forget_peak() -> None:
    """Begins the process' greatest memory anew, where the system lets it (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The process' greatest resident memory since `_forget_peak`, in bytes."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        told = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
        return int(told.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
