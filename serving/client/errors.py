"""The one error of the client: a gRPC status code by name and one sentence."""

from __future__ import annotations


class ClientError(Exception):
    """A request that was not answered with a result.

    Attributes:
        code: name of the gRPC status code, for example "UNAVAILABLE" or "INVALID_ARGUMENT".
        message: one sentence that says what happened and the way out.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
