"""Unloading versions beside everything else: each one finishes what it has begun first."""

from __future__ import annotations

import logging
import threading
import time

from tfrec.serving.server.sessions.servable import Servable
from tfrec.serving.server.versions.registry import END, UNLOADING, Registry, VersionState

logger = logging.getLogger("tfrec.serving.server")


class Unloading:
    """Lets versions drain and closes them, each in a thread of its own.

    Args:
        registry: told when a version has ended.
        note_seconds: after which it is noted that a version is still in use.
    """

    def __init__(self, registry: Registry, note_seconds: float) -> None:
        self._registry = registry
        self._note_seconds = note_seconds
        self._threads: list[threading.Thread] = []

    def unload(self, name: str, number: int) -> None:
        """Takes an available version out of service and unloads it."""
        servable = self._registry.states(name)[number].servable
        if servable is not None:
            leaving = VersionState(UNLOADING)
            self._registry.set_state(name, number, leaving)
            self.retire(servable, leaving)

    def retire(self, servable: Servable, leaving: VersionState | None = None) -> None:
        """Unloads a version that gets no new requests; `leaving` is its state, None when another has its place."""

        def drain() -> None:
            while not servable.retire(self._note_seconds):
                logger.warning("Version %d of %s is still in use", servable.version, servable.name)
            # Only if nobody has loaded the same number anew meanwhile, as a quick rollback does.
            if leaving is not None:
                self._registry.replace_state(servable.name, servable.version, leaving, VersionState(END))
            logger.info("Unloaded version %d of %s", servable.version, servable.name)

        thread = threading.Thread(target=drain, name=f"unload-{servable.name}-{servable.version}", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)
        thread.start()

    def wait(self, seconds: float) -> None:
        """Waits until everything is unloaded, at most so long."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))
