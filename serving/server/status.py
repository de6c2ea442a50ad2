"""Errors with a gRPC status code, and the wrapper that turns whatever happens in a handler into one."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable
from typing import Any

import grpc

logger = logging.getLogger("serving.server")
_MAX_MESSAGE = 2000  # characters; trailers that carry the message are limited to 8 KiB


class StatusError(Exception):
    """A request that is answered with a status code instead of a result.

    Attributes:
        code: the gRPC status code.
        message: what the client reads.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid_argument(message: str) -> StatusError:
    """An INVALID_ARGUMENT error, the most frequent kind."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)


def typed_errors(handler: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Wraps a servicer's method so that every failure ends as a status code.

    An unexpected exception is logged by its type and place only: its text may hold what a shopper typed.
    """

    @functools.wraps(handler)
    def wrapped(servicer: Any, request: Any, context: Any) -> Any:
        try:
            return handler(servicer, request, context)
        except StatusError as error:
            code, message = error.code, error.message
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("%s failed: %s at %s:%s", handler.__name__, type(error).__name__, place.filename, place.lineno)
            code, message = grpc.StatusCode.INTERNAL, f"internal error ({type(error).__name__})"
        context.abort(code, message[:_MAX_MESSAGE])

    return wrapped
