"""What judges pressed: a line for each key in a file that only grows; a kill loses at most the key in flight."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from tfrec.errors import DataError
from tfrec.files import speaking_os_errors

GRADES = (0, 1, 2, 3)
Grades = dict[tuple[str, str], dict[str, int]]  # (query, item id) -> judge -> grade
MACHINE = "llm:"  # what the names of judges begin with who are language models


@dataclass(frozen=True)
class Stroke:
    """One answer of a judge.

    Attributes:
        judge: the name.
        query: the query as it was shown.
        item: item id; None for the whole query, which is then skipped.
        grade: one of GRADES; None skips.
    """

    judge: str
    query: str
    item: str | None
    grade: int | None


class Strokes:
    """All strokes of a file, and what is added to it. A context manager; one process writes at a time.

    Attributes:
        by_judge: what counts of each judge's strokes, in their order.

    Args:
        file: JSON Lines. What a killed process has written of a last line is cut off.

    Raises:
        DataError: a line is no stroke.
        TfrecError: the file cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with speaking_os_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._handle = file.open("ab", buffering=0)
        try:
            self.by_judge, whole = read_strokes(file)
            with speaking_os_errors(file):
                self._handle.truncate(whole)
            self._size = whole
        except BaseException:
            self._handle.close()
            raise

    def __enter__(self) -> Strokes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.close()

    def add(self, stroke: Stroke) -> None:
        """Keeps a stroke; it is on the disk when this returns."""
        self._append(asdict(stroke))
        self.by_judge.setdefault(stroke.judge, []).append(stroke)

    def undo(self, judge: str) -> Stroke | None:
        """Takes a judge's latest stroke back and gives it; None when there is none."""
        if not self.by_judge.get(judge):
            return None
        self._append({"judge": judge, "undo": True})
        return self.by_judge[judge].pop()

    def _append(self, line: dict[str, Any]) -> None:
        line["at"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
        raw = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        with speaking_os_errors(self._file):
            try:
                written = self._handle.write(raw)
                if written != len(raw):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._handle.fileno())
            except OSError:  # half a line would spoil the next one
                self._handle.truncate(self._size)
                raise
        self._size += len(raw)


def read_strokes(file: Path) -> tuple[dict[str, list[Stroke]], int]:
    """What counts of each judge's strokes, and the bytes of the file's whole lines; the file may be growing.

    Raises:
        DataError: a whole line is no stroke.
    """
    with speaking_os_errors(file):
        raw = file.read_bytes()
    whole = raw.rfind(b"\n") + 1
    by_judge: dict[str, list[Stroke]] = {}
    for number, line in enumerate(raw[:whole].split(b"\n")[:-1], start=1):
        try:
            told = json.loads(line)
            judge, taken_back = told["judge"], told.get("undo") is True
            stroke = None if taken_back else Stroke(judge, told["query"], told["item"], told["grade"])
        except (ValueError, KeyError, TypeError, AttributeError):
            judge, stroke, taken_back = "", None, False
        if not _is_name(judge) or not (taken_back or (stroke is not None and _valid(stroke))):
            raise DataError(
                f"{file}, line {number}: this is nothing that a judge pressed: put the file back as it was, or take "
                "the line out."
            )
        if stroke is not None:
            by_judge.setdefault(judge, []).append(stroke)
        elif by_judge.get(judge):
            by_judge[judge].pop()
    return by_judge, whole


def grades_of(by_judge: dict[str, list[Stroke]]) -> Grades:
    """The grades of strokes, in the order of judges and strokes; of a pair that a judge graded twice the later one."""
    found: Grades = {}
    for judge, strokes in by_judge.items():
        for stroke in strokes:
            if stroke.item is not None and stroke.grade is not None:
                found.setdefault((stroke.query, stroke.item), {})[judge] = stroke.grade
    return found


def is_machine(judge: str) -> bool:
    """Whether a judge is a language model."""
    return judge.startswith(MACHINE)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _valid(stroke: Stroke) -> bool:
    grade_known = stroke.grade is None or (type(stroke.grade) is int and stroke.grade in GRADES)
    return (
        _is_name(stroke.query)
        and (_is_name(stroke.item) or stroke.item is None and stroke.grade is None)
        and (grade_known)
    )
