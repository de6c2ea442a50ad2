"""What every gRPC method does around its operation: counting, timing, and an end as a status code whatever happens."""

from __future__ import annotations

import functools
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

import grpc

from tfrec.serving.client.shopper_header import HEADER
from tfrec.serving.server.status import StatusError

logger = logging.getLogger("tfrec.serving.server")
MAX_MESSAGE = 2000  # characters; trailers that carry the message are limited to 8 KiB
Method = Callable[[Any, Any, Any], Any]


def rpc(handler: Method) -> Method:
    """Wraps a servicer's method `(self, request, context)`; the servicer has `operations`."""
    api = handler.__name__

    @functools.wraps(handler)
    def wrapped(servicer: Any, request: Any, context: Any) -> Any:
        metrics, started = servicer.operations.metrics, time.perf_counter()
        metrics.started("GRPC")
        code, message = grpc.StatusCode.OK, ""
        try:
            return handler(servicer, request, context)
        except Exception as error:
            code, message = as_status(error, api)
        finally:
            metrics.ended("GRPC")
            metrics.request(model_of(request), api, "GRPC", code.name, time.perf_counter() - started)
        context.abort(code, message)

    return wrapped


def as_status(error: Exception, doing: str) -> tuple[grpc.StatusCode, str]:
    """The code and message of a failure.

    An unexpected exception is logged by its type and place only: its text may hold what a shopper typed.
    """
    if isinstance(error, StatusError):
        return error.code, error.message[:MAX_MESSAGE]
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.error("%s failed: %s at %s:%s", doing, type(error).__name__, place.filename, place.lineno)
    return grpc.StatusCode.INTERNAL, f"internal error ({type(error).__name__})"


def deadline_of(context: Any) -> float | None:
    """The `time.monotonic()` by which the client wants its answer; None for no limit."""
    left = context.time_remaining()
    return None if left is None else time.monotonic() + left


def shopper_of(context: Any) -> str:
    """The shopper's id in a call's metadata, "" where there is none."""
    for name, value in context.invocation_metadata():
        if name == HEADER:
            return value if isinstance(value, str) else value.decode("utf-8", "replace")
    return ""


def question_of(request: Any) -> bytes:
    """What a PredictRequest asks, as bytes that are equal for equal questions; how many answers it wants is no part."""
    inputs = sorted((name, tensor) for name, tensor in request.inputs.items() if name != "k")
    parts = [part for name, tensor in inputs for part in (name.encode(), tensor.SerializeToString(deterministic=True))]
    return b"\0".join(parts)


def model_of(request: Any) -> str:
    """The model's name in a request, "" when it has none."""
    return str(request.model_spec.name) if "model_spec" in request.DESCRIPTOR.fields_by_name else ""
