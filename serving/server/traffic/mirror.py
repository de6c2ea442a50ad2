"""The shadow: requests that were answered are asked of another version too, and the answers compared.

The caller has its answer before anything of this begins: what is left to its thread is a place in a bounded queue. The
asking has a thread of its own, of the lowest priority, beside all queues and limits of the served version.
"""

from __future__ import annotations

import logging
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tfrec.serving.server.configuration.traffic_file import ShadowSettings
from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.traffic.comparing import likeness

logger = logging.getLogger("tfrec.serving.server")
_MOST_ROWS = 64  # of a mirrored request
_NICE = 19
_LOOK_SECONDS = 0.002


class _Job(NamedTuple):
    name: str
    version: int
    signature: str
    inputs: Mapping[str, np.ndarray]
    item_ids: np.ndarray
    seconds: float


class Mirror:
    """Asks a shadow version what another one has answered.

    Args:
        registry: the models.
        metrics: told what came of it.
    """

    def __init__(self, registry: Any, metrics: Metrics) -> None:
        self._registry, self._metrics = registry, metrics
        self._settings = ShadowSettings()
        self._waiting: queue.Queue[_Job] = queue.Queue(self._settings.waiting)
        self._lock = threading.Lock()
        self._busy = 0
        self._stopped = False
        self._thread: threading.Thread | None = None

    def follow(self, settings: ShadowSettings) -> None:
        """Takes other settings; what waits goes on under them."""
        with self._lock:
            self._settings, self._waiting.maxsize = settings, settings.waiting

    def __enter__(self) -> None:
        """A request begins to be answered."""
        with self._lock:
            self._busy += 1

    def __exit__(self, *_: object) -> None:
        """It has been answered."""
        with self._lock:
            self._busy -= 1

    def offer(
        self, handle: Any, signature: str, inputs: Mapping[str, np.ndarray], item_ids: np.ndarray, seconds: float
    ) -> None:
        """Takes an answered request to be mirrored, or not; never waits.

        Args:
            handle: the version that answered.
            signature: that was called.
            inputs: its arrays.
            item_ids: what it answered, object [R, k].
            seconds: how long that took.
        """
        settings = self._settings
        if not settings.share or self._stopped or (settings.share < 1 and random.random() >= settings.share):
            return
        version = self._registry.labels(handle.name).get(settings.label)
        if version is None or version == handle.version:
            return
        if len(item_ids) > _MOST_ROWS:
            self._metrics.traffic.shadow(handle.name, "too_large")
            return
        try:
            self._waiting.put_nowait(_Job(handle.name, version, signature, inputs, item_ids, seconds))
        except queue.Full:
            self._metrics.traffic.shadow(handle.name, "dropped")
            return
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
                    self._thread.start()

    def stop(self) -> None:
        """Ends the mirroring; what waits is given up."""
        self._stopped = True

    def _run(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._stopped:
            try:
                job = self._waiting.get(timeout=1.0)
            except queue.Empty:
                continue
            while self._settings.idle_only and self._busy and not self._stopped:
                time.sleep(_LOOK_SECONDS)
            if self._settings.share:
                self._ask(job)

    def _ask(self, job: _Job) -> None:
        try:
            with self._registry.acquire(job.name, job.version) as handle:
                started = time.perf_counter()
                found = handle.run_alone(job.signature, job.inputs)["item_ids"]
                seconds = time.perf_counter() - started
            rows = likeness(job.item_ids, found)
        except Exception as error:  # the version has gone, lacks the signature, or its graph fails: all is told
            self._metrics.traffic.shadow(job.name, "failed")
            logger.debug("A mirrored %s failed: %s", job.signature, type(error).__name__)
            return
        self._metrics.traffic.shadow(job.name, "compared")
        self._metrics.traffic.compared(job.name, job.signature, job.seconds, seconds, rows)
