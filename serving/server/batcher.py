"""A greedy batcher: whenever a core gets free, what is queued by then runs together.

Nobody waits for a batch to fill up (unless told to), and there are no threads of its own: the thread of a request
whose turn comes runs the batch for itself and for those behind it. A lone request therefore changes threads never.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np

from serving.server.batch_plan import BatchPlan, bucket_sizes, fits
from serving.server.status import StatusError

Outputs = dict[str, np.ndarray]
Run = Callable[[dict[str, np.ndarray]], Outputs]
_WAITING, _LEADING, _TAKEN, _DONE = range(4)
_DOZE = 0.0002  # seconds between two looks at a batch that waits for more rows


@dataclass(frozen=True)
class BatchSettings:
    """Settings of the batcher.

    Attributes:
        workers: batches that run at once.
        max_rows: rows of a batch at most; 1 batches nothing.
        allowed_rows: sizes that batches are filled up to, ascending to max_rows; empty takes the powers of two.
        wait_seconds: how long the first request of a batch waits for others.
        max_queued_rows: rows that may wait for each signature and version; what comes beyond is RESOURCE_EXHAUSTED.
        widen: whether string matrices of different widths may share a batch.
    """

    workers: int = 1
    max_rows: int = 32
    allowed_rows: tuple[int, ...] = ()
    wait_seconds: float = 0.0
    max_queued_rows: int = 2048
    widen: bool = True

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


class _Task:
    __slots__ = ("call", "inputs", "rows", "deadline", "since", "state", "gate", "outputs", "error")

    def __init__(self, call: Call, inputs: dict[str, np.ndarray], rows: int, deadline: float | None) -> None:
        self.call, self.inputs, self.rows, self.deadline = call, inputs, rows, deadline
        self.since = time.monotonic()
        self.state = _WAITING
        self.gate = threading.Lock()
        self.outputs: Outputs | None = None
        self.error: BaseException | None = None


class Batcher:
    """Runs the calls of all versions on a fixed number of workers. Safe to use from any number of threads.

    Args:
        settings: sizes and bounds.
        metrics: told about every batch (see serving.server.metrics).
    """

    def __init__(self, settings: BatchSettings, metrics: Any) -> None:
        self.settings, self.metrics = settings, metrics
        self._lock = threading.Lock()
        self._free = settings.workers
        # Tasks that can share a batch, in the order in which their first one came.
        self._queues: OrderedDict[Hashable, deque[_Task]] = OrderedDict()

    def run(self, call: Call, inputs: dict[str, np.ndarray], rows: int | None, deadline: float | None) -> Outputs:
        """Runs one call, alone or with others.

        Args:
            call: what to run.
            inputs: its inputs.
            rows: how many rows they have, at most `max_rows`; None or more rows run alone.
            deadline: on the clock of time.monotonic, or None.

        Raises:
            StatusError: the graph failed, too much is queued (RESOURCE_EXHAUSTED), or the deadline passed.
        """
        key: Hashable = (id(call), call.plan.key(inputs)) if rows is not None else object()
        task = _Task(call, inputs, rows or 1, deadline)
        with self._lock:
            if deadline is not None and task.since >= deadline:
                raise _too_late()
            if self._free:  # then nothing is queued
                self._free -= 1
                task.state = _LEADING
            else:
                if call.queued_rows + task.rows > self.settings.max_queued_rows:
                    raise StatusError(
                        grpc.StatusCode.RESOURCE_EXHAUSTED,
                        f"The batch scheduling queue to which this task was submitted is full; {call.queued_rows} rows "
                        f"of {call.signature} wait",
                    )
                task.gate.acquire()
                self._queues.setdefault(key, deque()).append(task)
                call.queued_rows += task.rows
        if task.state != _LEADING:
            self._await(task, key)
        if task.state == _LEADING:
            self._lead(task, key if rows is not None else None)
        if task.error is not None:
            raise task.error
        assert task.outputs is not None
        return task.outputs

    def _await(self, task: _Task, key: Hashable) -> None:
        """Waits until the task leads a batch or has run in another's."""
        timeout = -1.0 if task.deadline is None else max(task.deadline - time.monotonic(), 0.0)
        if task.gate.acquire(timeout=timeout):
            return
        with self._lock:
            if task.state == _WAITING:
                self._leave(task, key)
            elif task.state == _LEADING:  # its turn came in this very moment: it hands it on
                self._free_or_next()
            # A batch that is running already goes on; nobody takes this part of it.
        raise _too_late()

    def _leave(self, task: _Task, key: Hashable) -> None:
        queue = self._queues[key]
        queue.remove(task)
        task.call.queued_rows -= task.rows
        if not queue:
            del self._queues[key]

    def _lead(self, task: _Task, key: Hashable | None) -> None:
        """Runs the task with what is queued beside it, gives the worker on, and lets the others go."""
        tasks = [task]
        try:
            if key is not None:
                if self.settings.wait_seconds:
                    self._wait_for_more(task, key)
                with self._lock:
                    self._collect(tasks, key)
            now = time.monotonic()
            for one in tasks:
                self.metrics.queue_time(task.call.model, now - one.since)
            self._execute(tasks, key is not None)
        except BaseException as error:  # also what is no StatusError: nobody may wait for ever
            for one in tasks:
                one.error = one.error or error
        finally:
            # The next batch first: those who are let go have answers to write, and only one thread of Python runs.
            with self._lock:
                self._free_or_next()
            for other in tasks[1:]:
                other.state = _DONE
                other.gate.release()

    def _collect(self, tasks: list[_Task], key: Hashable) -> None:
        queue = self._queues.get(key)
        rows = tasks[0].rows
        while queue and rows + queue[0].rows <= self.settings.max_rows:
            taken = queue.popleft()
            taken.state = _TAKEN
            taken.call.queued_rows -= taken.rows
            rows += taken.rows
            tasks.append(taken)
        if queue is not None and not queue:
            del self._queues[key]

    def _wait_for_more(self, task: _Task, key: Hashable) -> None:
        until = task.since + self.settings.wait_seconds
        while time.monotonic() < until:
            queue = self._queues.get(key)
            if task.rows + sum(one.rows for one in list(queue or ())) >= self.settings.max_rows:
                return
            time.sleep(_DOZE)

    def _execute(self, tasks: list[_Task], batched: bool) -> None:
        """Runs tasks as one batch; where it fails, in halves, so that only who is to blame hears of it."""
        call = tasks[0].call
        if not batched or not call.plan.possible:
            for task in tasks:
                try:
                    task.outputs = self._timed(call, task.inputs, task.rows, task.rows)
                except StatusError as error:
                    task.error = error
            return
        rows = sum(task.rows for task in tasks)
        padded = next((size for size in self.settings.sizes if size >= rows), rows)
        try:
            outputs = self._timed(call, call.plan.merged([task.inputs for task in tasks], padded), rows, padded)
        except StatusError as error:
            if len(tasks) == 1:
                tasks[0].error = error
                return
            half = len(tasks) // 2
            self._execute(tasks[:half], True)
            self._execute(tasks[half:], True)
            return
        if not fits(outputs, padded):
            call.plan.possible = False  # the signature promised rows and gives something else
            self._execute(tasks, False)
            return
        start = 0
        for task in tasks:
            task.outputs = {name: array[start : start + task.rows] for name, array in outputs.items()}
            start += task.rows

    def _timed(self, call: Call, inputs: dict[str, np.ndarray], rows: int, padded: int) -> Outputs:
        started = time.perf_counter()
        outputs = call.run(inputs)
        self.metrics.runtime(call.model, "Predict", time.perf_counter() - started, call.signature)
        self.metrics.batch(call.model, call.signature, rows, padded)
        return outputs

    def _free_or_next(self) -> None:
        """Gives a worker to the queue whose first task has waited longest, or sets it free."""
        if not self._queues:
            self._free += 1
            return
        key = min(self._queues, key=lambda one: self._queues[one][0].since)
        queue = self._queues[key]
        task = queue.popleft()
        if not queue:
            del self._queues[key]
        task.call.queued_rows -= task.rows
        task.state = _LEADING
        task.gate.release()


def _too_late() -> StatusError:
    return StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "The request waited longer than its deadline allows")
