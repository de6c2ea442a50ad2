"""What the batcher works with: its settings, the calls that can share a batch, and the requests that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfrec.serving.server.sessions.batch_plan import BatchPlan, bucket_sizes

Outputs = dict[str, np.ndarray]
Run = Callable[[dict[str, np.ndarray]], Outputs]
WAITING, LEADING, TAKEN, DONE = range(4)


@dataclass(frozen=True)
class BatchSettings:
    """Settings of the batcher.

    Attributes:
        workers: batches that run at once.
        max_rows: rows of a batch at most; a larger request runs in pieces of so many.
        allowed_rows: sizes that batches are filled up to, ascending to max_rows; empty takes the powers of two.
        wait_seconds: how long the first request of a batch waits for others; it holds a worker meanwhile.
        max_queued_rows: rows that may wait for each signature and version; what comes beyond is RESOURCE_EXHAUSTED.
        widen: whether string matrices of different widths may share a batch.
        share: whether different requests may share a batch at all.
    """

    workers: int = 1
    max_rows: int = 32
    allowed_rows: tuple[int, ...] = ()
    wait_seconds: float = 0.0
    max_queued_rows: int = 2048
    widen: bool = True
    share: bool = True

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that batches have."""
        return self.allowed_rows or bucket_sizes(self.max_rows)


class Call:
    """What identical calls share: one signature of one version.

    Args:
        model: the model's name, for the metrics.
        signature: the signature's name.
        plan: how its requests are put together.
        run: calls the signature.
    """

    def __init__(self, model: str, signature: str, plan: BatchPlan, run: Run) -> None:
        self.model, self.signature, self.plan, self.run = model, signature, plan, run
        self.queued_rows = 0


class Task:
    """One request, or one piece of a large one.

    Attributes:
        state: WAITING in a queue, LEADING a batch, TAKEN into another's batch, or DONE.
        gate: held while it waits; released when the state has changed.
        outputs: the answer, or
        error: what went wrong.
    """

    __slots__ = ("call", "inputs", "rows", "deadline", "since", "state", "gate", "outputs", "error")

    def __init__(self, call: Call, inputs: dict[str, np.ndarray], rows: int, deadline: float | None) -> None:
        self.call, self.inputs, self.rows, self.deadline = call, inputs, rows, deadline
        self.since = time.monotonic()
        self.state = WAITING
        self.gate = threading.Lock()
        self.outputs: Outputs | None = None
        self.error: BaseException | None = None
