"""Errors with a gRPC status code."""

from __future__ import annotations

import grpc


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
