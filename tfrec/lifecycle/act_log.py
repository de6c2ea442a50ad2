"""The log of all acts on the versions of an export folder: one line each, only ever appended, on the disk at once.

The last line is the truth about which version is stable and which is canary; the servers' files are written after it
and can be written again from it.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tfrec.errors import TfrecError
from tfrec.files import speaking_os_errors
from tfrec.json_text import parse_json

LOG = "lifecycle.jsonl"
_MOST_BEFORE = 20  # former stable versions that a rollback can go back through


@dataclass(frozen=True)
class Standing:
    """Which versions stand where.

    Attributes:
        stable: the version that shoppers get, None before the first promotion.
        canary: a version on trial, or None.
        before: versions that were stable before, the latest first.
    """

    stable: int | None = None
    canary: int | None = None
    before: tuple[int, ...] = ()

    @property
    def labels(self) -> dict[str, int]:
        """TensorFlow Serving's version labels."""
        named = {"stable": self.stable, "canary": self.canary}
        return {label: number for label, number in named.items() if number is not None}

    def with_stable(self, number: int) -> Standing:
        """After a promotion: what was stable is now before; a canary that becomes stable is none any more."""
        old = () if self.stable is None else (self.stable,)
        before = tuple(one for one in (*old, *self.before) if one != number)[:_MOST_BEFORE]
        return Standing(number, None if self.canary == number else self.canary, before)

    def back_to(self, number: int) -> Standing:
        """After a rollback: what came after the version is forgotten, so that the next rollback goes further back."""
        rest = self.before[self.before.index(number) + 1 :] if number in self.before else self.before
        return Standing(number, None if self.canary == number else self.canary, rest)


@dataclass(frozen=True)
class Act:
    """One line of the log.

    Attributes:
        act: "promote", "rollback", "undo", "remove", or "leave" (a version that `tfrec refresh` did not promote).
        version: that it is about.
        label: "stable" or "canary", "" where the act is about neither.
        reason: in words; of a forced promotion the one that was given.
        forced: whether the gate was overruled.
        verdict: sha256 (hex) of the verdict that allowed it (of "leave", that did not), "" for none.
        after: how versions stand after it.
        when: ISO 8601 with the offset from UTC.
        who: user@host.
    """

    act: str
    version: int
    after: Standing
    label: str = ""
    reason: str = ""
    forced: bool = False
    verdict: str = ""
    when: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
    who: str = field(default_factory=lambda: f"{_user()}@{socket.gethostname()}")


def read_acts(export: Path) -> list[Act]:
    """All acts on the versions of an export folder, the oldest first; none where there is no log.

    A last line without its end was being written when the process was killed: that act has not taken place.

    Raises:
        TfrecError: a line is no act.
    """
    path = Path(export) / LOG
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    acts = []
    for row, line in enumerate(raw.split(b"\n")[:-1], start=1):
        try:
            acts.append(_act(parse_json(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TfrecError(
                f"{path}, line {row}, is no act ({' '.join(str(error).split())[:100]}): put the file back from a "
                "backup, or move it away and promote anew."
            ) from None
    return acts


def standing(export: Path) -> Standing:
    """How the versions of an export folder stand, by the last line of the log."""
    acts = read_acts(export)
    return acts[-1].after if acts else Standing()


def append_act(export: Path, act: Act) -> None:
    """Appends an act and flushes it to the disk; to be called by whoever holds the folder.

    Raises:
        TfrecError: the disk is full or the folder cannot be written.
    """
    path = Path(export) / LOG
    with speaking_os_errors(path):
        line = json.dumps(asdict(act), ensure_ascii=False, sort_keys=True).encode() + b"\n"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _cut_half_line(handle)
            whole = os.fstat(handle).st_size
            if os.write(handle, line) != len(line):
                os.ftruncate(handle, whole)
                raise TfrecError(f"The disk is full while writing {path}: free some space and run the command again.")
            os.fsync(handle)
        finally:
            os.close(handle)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _cut_half_line(handle: int) -> None:
    """Drops what a killed process left after the last whole line."""
    size = os.fstat(handle).st_size
    content = os.pread(handle, size, 0)
    whole = content.rfind(b"\n") + 1
    if whole < size:
        os.ftruncate(handle, whole)


def _act(values: dict[str, Any]) -> Act:
    after = values["after"]
    numbers = [*after["before"], *(after[name] for name in ("stable", "canary") if after[name] is not None)]
    if not all(type(number) is int for number in [*numbers, values["version"]]):
        raise ValueError("a version is no number")
    return Act(**{**values, "after": Standing(after["stable"], after["canary"], tuple(after["before"]))})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
