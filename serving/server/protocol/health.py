"""gRPC's health protocol and server reflection, beside TF Serving's services.

Health (github.com/grpc/grpc/blob/master/doc/health-checking.md): the whole server ("") and both services are SERVING
while every configured model has a version that answers, and NOT_SERVING from the moment a stop begins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

SERVICES = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")
_AVAILABLE = 30  # ModelVersionStatus.State
_MAX_WATCHERS = 64
_MAX_REFLECTIONS = 2
_REFLECTION_SECONDS = 10.0


def is_ready(registry: Any) -> bool:
    """Whether there is a model, and every model has an available version."""
    names = list(registry.names())
    return bool(names) and all(
        any(state.state == _AVAILABLE for state in registry.states(name).values()) for name in names
    )


class HealthUpdater:
    """Keeps the health service of a server in step with its models.

    Args:
        server: the gRPC server, not yet started.
        registry: the models.
        every: seconds between two looks.
    """

    def __init__(self, server: grpc.Server, registry: Any, every: float = 0.25) -> None:
        # Watchers stay for hours; on the server's own threads they would take the place of requests.
        pool = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._servicer = _Health(experimental_non_blocking=True, experimental_thread_pool=pool)
        self._pool = pool
        self._registry = registry
        self._stopped = threading.Event()
        self._serving: bool | None = None
        self._look()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        self._thread = threading.Thread(target=self._run, args=(every,), name="health-look", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """From now on the server says NOT_SERVING."""
        self._stopped.set()
        self._thread.join()
        self._servicer.enter_graceful_shutdown()
        self._pool.shutdown(wait=False)

    def _run(self, every: float) -> None:
        while not self._stopped.wait(every):
            self._look()

    def _look(self) -> None:
        serving = is_ready(self._registry)
        if serving != self._serving:
            self._serving = serving
            status = health_pb2.HealthCheckResponse
            for service in ("", *SERVICES):
                self._servicer.set(service, status.SERVING if serving else status.NOT_SERVING)


class _Health(health.HealthServicer):  # type: ignore[misc]
    """Bounds how many clients may watch, and what they may ask for: each watcher is remembered by the servicer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._places = threading.BoundedSemaphore(_MAX_WATCHERS)
        # The servicer keeps its thread pool on the class, where a second server would replace it: hence a function of
        # this one alone before it.
        inner: Any = super().Watch

        def watch(request: Any, context: Any, send: Any) -> None:
            if request.service not in ("", *SERVICES):
                send(health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN))
                send(None)  # ends the stream
            elif not self._places.acquire(blocking=False):
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many clients watch the health: use Check.")
            elif context.add_callback(self._places.release):
                inner(request, context, send)
            else:  # the client has gone already
                self._places.release()

        watch.experimental_non_blocking = True  # type: ignore[attr-defined]
        watch.experimental_thread_pool = options["experimental_thread_pool"]  # type: ignore[attr-defined]
        self.Watch: Any = watch


def add_reflection(server: grpc.Server) -> None:
    """Lets clients such as grpcurl ask for the services and messages."""
    names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(_Reflection(names), server)


class _Reflection(reflection.ReflectionServicer):  # type: ignore[misc]
    """Bounds how many streams are open and how long: each one holds a thread of the server."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self._places = threading.BoundedSemaphore(_MAX_REFLECTIONS)

    def ServerReflectionInfo(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """Answers questions about the services until the client is done."""
        if not self._places.acquire(blocking=False):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many reflection streams are open: try again.")
        timer = threading.Timer(_REFLECTION_SECONDS, context.cancel)
        timer.daemon = True
        timer.start()
        try:
            yield from super().ServerReflectionInfo(request_iterator, context)
        finally:
            timer.cancel()
            self._places.release()
