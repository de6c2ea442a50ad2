"""What traffic.yaml says, applied to requests, and followed while the server runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import grpc

from tfrec.serving.server.configuration.traffic_file import TrafficSettings
from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.status import StatusError
from tfrec.serving.server.traffic.canary import Asker, route
from tfrec.serving.server.traffic.mirror import Mirror


class Traffic:
    """Divides requests between versions.

    Args:
        registry: the models and their labels.
        metrics: told where requests went.
        mirror: follows the same file.
    """

    def __init__(self, registry: Any, metrics: Metrics, mirror: Mirror) -> None:
        self._registry, self._metrics, self._mirror = registry, metrics, mirror
        self._settings = TrafficSettings()

    @property
    def active(self) -> bool:
        """Whether anything is divided or mirrored."""
        return self._settings.active

    def follow(self, settings: TrafficSettings) -> None:
        """Takes other settings; requests that are being answered end where they are."""
        self._settings = settings
        self._mirror.follow(settings.shadow)

    def version(
        self, request: Any, asker: Asker | None, acquire: Callable[[Any], AbstractContextManager[Any]]
    ) -> AbstractContextManager[Any]:
        """The version that answers a request, held until the context ends.

        Args:
            request: with a model_spec.
            asker: who asks.
            acquire: gives the version that the request itself means.
        """
        if not self._settings.active or not request.HasField("model_spec"):
            return acquire(request)
        name = request.model_spec.name
        found = route(self._settings, self._registry.labels(name), request.model_spec, asker)
        if found.version is None:
            return acquire(request)
        if found.by:
            self._metrics.traffic.routed(name, found.to, found.by)
        return self._held(name, found.version, request, acquire)

    @contextmanager
    def _held(
        self, name: str, version: int, request: Any, acquire: Callable[[Any], AbstractContextManager[Any]]
    ) -> Iterator[Any]:
        """The version, or what the request means by itself where that has gone in this moment."""
        held = self._registry.acquire(name, version)
        try:
            handle = held.__enter__()
        except StatusError as error:
            if error.code is not grpc.StatusCode.NOT_FOUND:
                raise
            held = acquire(request)
            handle = held.__enter__()
        try:
            yield handle
        finally:
            held.__exit__(None, None, None)
