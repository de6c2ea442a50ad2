"""A greedy batcher: whenever a core gets free, what is queued by then runs together.

Nobody waits for a batch to fill up (unless told to), and there are no threads of its own: the thread of a request
whose turn comes runs the batch for itself and for those behind it. A lone request therefore changes threads never.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Any

import grpc
import numpy as np

from tfrec.serving.server.sessions.batch_plan import fits
from tfrec.serving.server.sessions.batch_task import DONE, LEADING, TAKEN, WAITING, BatchSettings, Call, Outputs, Task
from tfrec.serving.server.status import StatusError

__all__ = ["BatchSettings", "Batcher", "Call"]
_DOZE = 0.0002  # seconds between two looks at a batch that waits for more rows


class Batcher:
    """Runs the calls of all versions on a fixed number of workers. Safe to use from any number of threads.

    Args:
        settings: sizes and bounds.
        metrics: told about every batch (see tfrec.serving.server.metrics.counters).
    """

    def __init__(self, settings: BatchSettings, metrics: Any) -> None:
        self.settings, self.metrics = settings, metrics
        self._lock = threading.Lock()
        self._free = settings.workers
        # Tasks that can share a batch, in the order in which their first one came.
        self._queues: OrderedDict[Hashable, deque[Task]] = OrderedDict()
        self._gathering: set[Hashable] = set()  # keys of batches that wait for more rows

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
        shared = rows is not None and self.settings.share
        key: Hashable = (id(call), call.plan.key(inputs)) if shared else object()
        task = Task(call, inputs, rows or 1, deadline)
        with self._lock:
            if deadline is not None and task.since >= deadline:
                raise _too_late()
            if self._free and key not in self._gathering:  # then nothing else is queued
                self._free -= 1
                task.state = LEADING
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
        if task.state != LEADING:
            self._await(task, key)
        if task.state == LEADING:
            self._lead(task, key if shared else None, rows is not None)
        if task.error is not None:
            raise task.error
        assert task.outputs is not None
        return task.outputs

    def _await(self, task: Task, key: Hashable) -> None:
        """Waits until the task leads a batch or has run in another's."""
        timeout = -1.0 if task.deadline is None else max(task.deadline - time.monotonic(), 0.0)
        if task.gate.acquire(timeout=timeout):
            return
        with self._lock:
            if task.state == WAITING:
                self._queues[key].remove(task)
                self._taken_out(task, key)
            elif task.state == LEADING:  # its turn came in this very moment: it hands it on
                self._give_back()
            # A batch that is running already goes on; nobody takes this part of it.
        raise _too_late()

    def _taken_out(self, task: Task, key: Hashable) -> None:
        task.call.queued_rows -= task.rows
        if not self._queues[key]:
            del self._queues[key]

    def _lead(self, task: Task, key: Hashable | None, padded: bool) -> None:
        """Runs the task with what is queued beside it, gives the worker on, and lets the others go."""
        tasks = [task]
        try:
            if key is not None:
                if self.settings.wait_seconds:
                    self._gather(task, key)
                with self._lock:
                    self._collect(tasks, key)
                    self._start_waiting()  # what did not fit in, if workers are free
            now = time.monotonic()
            for one in tasks:
                self.metrics.queue_time(task.call.model, now - one.since)
            self._execute(tasks, padded)
        except BaseException as error:  # also what is no StatusError: nobody may wait for ever
            for one in tasks:
                if one.outputs is None and one.error is None:
                    one.error = error
        finally:
            # The next batch first: those who are let go have answers to write, and only one thread of Python runs.
            with self._lock:
                self._give_back()
            for other in tasks[1:]:
                other.state = DONE
                other.gate.release()

    def _collect(self, tasks: list[Task], key: Hashable) -> None:
        """Takes what fits into the batch out of the queue."""
        rows = tasks[0].rows
        while key in self._queues and rows + self._queues[key][0].rows <= self.settings.max_rows:
            taken = self._queues[key].popleft()
            self._taken_out(taken, key)
            taken.state = TAKEN
            rows += taken.rows
            tasks.append(taken)

    def _gather(self, task: Task, key: Hashable) -> None:
        """Waits for others, who queue up meanwhile though workers may be free."""
        until = task.since + self.settings.wait_seconds
        if task.deadline is not None:
            until = min(until, task.deadline)
        with self._lock:
            self._gathering.add(key)
        try:
            while time.monotonic() < until:
                with self._lock:
                    rows = task.rows + sum(one.rows for one in self._queues.get(key, ()))
                if rows >= self.settings.max_rows:
                    return
                time.sleep(_DOZE)
        finally:
            with self._lock:
                self._gathering.discard(key)

    def _execute(self, tasks: list[Task], padded: bool) -> None:
        """Runs tasks as one batch; where it fails, in halves, so that only who is to blame hears of it."""
        call = tasks[0].call
        if not padded or not call.plan.possible:
            for task in tasks:
                try:
                    task.outputs = self._timed(call, task.inputs, task.rows, task.rows)
                except StatusError as error:
                    task.error = error
            return
        rows = sum(task.rows for task in tasks)
        size = next((size for size in self.settings.sizes if size >= rows), rows)
        try:
            outputs = self._timed(call, call.plan.merged([task.inputs for task in tasks], size), rows, size)
        except StatusError as error:
            if len(tasks) == 1:
                tasks[0].error = error
                return
            half = len(tasks) // 2
            self._execute(tasks[:half], True)
            self._execute(tasks[half:], True)
            return
        if not fits(outputs, size):
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

    def _give_back(self) -> None:
        """A worker gets free: the next batch, or nobody, has it."""
        self._free += 1
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Gives free workers to the queues whose first tasks have waited longest."""
        while self._free:
            ready = [key for key in self._queues if key not in self._gathering]
            if not ready:
                return
            key = min(ready, key=lambda one: self._queues[one][0].since)
            task = self._queues[key].popleft()
            self._taken_out(task, key)
            self._free -= 1
            task.state = LEADING
            task.gate.release()


def _too_late() -> StatusError:
    return StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "The request waited longer than its deadline allows")
