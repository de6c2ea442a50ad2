"""Limits on what one request may ask for: they bound memory and time, and are told with the number that counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np

from tfrec.serving.server.numbers import seconds, whole
from tfrec.serving.server.status import StatusError, invalid_argument


@dataclass(frozen=True)
class Limits:
    """Limits on predictions.

    Attributes:
        rows: rows of a request.
        width: entries of a row, such as the ids of one history.
        text_bytes: bytes of one text.
        k: answers per row.
        answers: rows times k.
        concurrency: predictions at once, those that wait included; further ones are refused at once.
        seconds: time for one prediction, whatever later deadline the caller gives.
    """

    rows: int = 16384
    width: int = 4096
    text_bytes: int = 65536
    k: int = 10_000
    answers: int = 2_000_000
    concurrency: int = 256
    seconds: float = 30.0

    def __post_init__(self) -> None:
        for name in ("rows", "width", "text_bytes", "k", "answers", "concurrency"):
            whole(f"limits.{name}", getattr(self, name), 1, 2**31 - 1)
        seconds("limits.seconds", self.seconds, 1e-3)

    def check(self, signature: Any, inputs: Mapping[str, np.ndarray]) -> None:
        """Checks the inputs of one request.

        Args:
            signature: the `tensorflow.SignatureDef` that is called.
            inputs: its arrays.

        Raises:
            StatusError: INVALID_ARGUMENT with the limit that is passed.
        """
        rows = 1
        for name, array in inputs.items():
            if array.ndim:
                rows = max(rows, array.shape[0])
            for axis, size in enumerate(array.shape):
                self.check_axis(name, axis, size)
            if array.dtype == object and array.size:
                longest = max(map(len, array.ravel().tolist()))
                _at_most(f"input {name} holds a text of", longest, self.text_bytes, "bytes")
        k = inputs.get("k")
        if k is not None and k.ndim == 0 and k.dtype.kind in "iu" and "item_ids" in signature.outputs:
            if k < 1:
                raise invalid_argument(f"k must be at least 1, not {k}")
            _at_most("k is", int(k), self.k, "")
            _at_most(f"{rows} rows times k = {k} are", rows * int(k), self.answers, "answers")

    def check_axis(self, name: str, axis: int, size: int) -> None:
        """Checks one size of an input, which can be done before its values are read.

        Raises:
            StatusError: INVALID_ARGUMENT with the limit that is passed.
        """
        if axis:
            _at_most(f"a row of input {name} has", size, self.width, "entries")
        else:
            _at_most(f"input {name} has", size, self.rows, "rows")

    def until(self, deadline: float | None) -> float:
        """The earlier of a caller's deadline and the limit, on the clock of time.monotonic."""
        latest = time.monotonic() + self.seconds
        return latest if deadline is None else min(deadline, latest)


class Admission:
    """Lets a number of predictions in and refuses the rest without delay.

    Args:
        places: how many may be inside at once.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._free = threading.Semaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place inside.

        Raises:
            StatusError: RESOURCE_EXHAUSTED when all are taken.
        """
        if not self._free.acquire(blocking=False):
            raise StatusError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"The server is answering {self._places} requests already: try again later or add servers",
            )
        try:
            yield
        finally:
            self._free.release()


def _at_most(what: str, given: int, limit: int, unit: str) -> None:
    if given > limit:
        raise invalid_argument(f"{what} {given:,} {unit}".rstrip() + f"; this server accepts at most {limit:,}")
