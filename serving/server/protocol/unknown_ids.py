"""How many item ids in requests the catalogue lacks, found out on a sample.

An export answers `similar_items` of an unknown id with empty places only, so the model itself tells. It is asked beside
the requests and at most twice a second, which costs the same however many requests there are.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.serving.server.metrics.counters import Metrics

logger = logging.getLogger("tfrec.serving.server")
_SIGNATURE = "similar_items"
_EVERY_SECONDS = 0.5
_MOST_IDS = 32  # of one request: what one batch holds
_ANSWER_SECONDS = 2.0


class UnknownIds:
    """Looks up a sample of the ids in requests.

    Args:
        registry: the models.
        metrics: told how many ids were looked up and how many are unknown.
        every: seconds between two samples at least.
    """

    def __init__(self, registry: Any, metrics: Metrics, every: float = _EVERY_SECONDS) -> None:
        self._registry = registry
        self._metrics = metrics
        self._every = every
        self._next = 0.0
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[str, int, list[bytes]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def offer(self, handle: Any, ids: Sequence[bytes]) -> None:
        """Takes the ids of a request to look them up, or not; never waits.

        Args:
            handle: the version that answered the request.
            ids: item ids; empty ones are padding.
        """
        now = time.monotonic()
        if now < self._next or _SIGNATURE not in handle.signature_defs:
            return
        given = [item for item in ids if item][-_MOST_IDS:]
        with self._lock:
            if now < self._next or not given:
                return
            self._next = now + self._every
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="unknown-ids", daemon=True)
                self._thread.start()
        self._waiting.put((handle.name, handle.version, given))

    def stop(self) -> None:
        """Ends the looking up."""
        self._next = float("inf")
        self._waiting.put(None)

    def _run(self) -> None:
        while (sample := self._waiting.get()) is not None:
            name, version, ids = sample
            try:
                unknown = self._count(name, version, ids)
                self._metrics.ids(name, len(ids), unknown)
            except Exception as error:  # the version has gone, or the server is too busy: another sample will do
                logger.debug("A sample of ids was not looked up: %s", type(error).__name__)
            self._next = max(self._next, time.monotonic() + self._every)

    def _count(self, name: str, version: int, ids: list[bytes]) -> int:
        rows = np.empty(len(ids), dtype=object)
        rows[:] = ids
        inputs = {"item_id": rows, "k": np.asarray(1, np.int32)}
        with self._registry.acquire(name, version) as handle:
            found = handle.run(_SIGNATURE, inputs, ["item_ids"], time.monotonic() + _ANSWER_SECONDS)["item_ids"]
        return int(np.sum(found[:, 0] == b"")) if found.shape[1] else len(ids)
