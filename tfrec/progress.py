"""Progress that reads well on a terminal (a bar) and in a log file (a plain line every few seconds)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

T = TypeVar("T")
_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """A counter towards `total` shown on standard error.

    Args:
        description: what is being done.
        total: number of steps, or None when unknown.
    """

    def __init__(self, description: str, total: float | None = None) -> None:
        self.description, self.total = description, total
        self.done = 0.0
        self._started = self._last_line = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            self._bar = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.TaskProgressColumn(),
                progress.TimeElapsedColumn(),
                progress.TimeRemainingColumn(),
                progress.TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self.description, total=self.total, note="")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None and self.description and time.monotonic() - self._started > _SECONDS_BETWEEN_LINES:
            print(f"{self.description}: done in {time.monotonic() - self._started:.0f} s", file=sys.stderr)

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Counts `steps` more and shows `note` (a loss, a rate) beside the bar."""
        self.done += steps
        if self._bar is not None:
            self._bar.update(self._task, advance=steps, note=note)
            return
        now = time.monotonic()
        if self.description and now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            share = f" {100 * self.done / self.total:.0f} %" if self.total else f" {self.done:.0f}"
            print(f"{self.description}:{share}{'  ' + note if note else ''}", file=sys.stderr, flush=True)


def track(items: Iterable[T], description: str, total: float | None = None) -> Iterator[T]:
    """Yields the items and shows how many are done."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(description, total) as progress:
        for item in items:
            yield item
            progress.advance()
