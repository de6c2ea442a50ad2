"""Bearer tokens: several at once, compared in constant time, changed by changing their file."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from tfrec.errors import ServingError
from tfrec.serving.server.metrics.counters import NULL, Metrics

logger = logging.getLogger("tfrec.serving.server")
LEAST = 16  # characters of a token
_LOOK_SECONDS = 1.0
_OPEN_METHODS = ("/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch")  # probes carry no token


class TokenFile:
    """The tokens of a file: one on each line, `#` begins a comment.

    The file is read again when it changes, looked at most once a second. A file that then cannot be read, or is empty,
    changes nothing: the tokens before it stay in force and the log says so.

    Args:
        path: the file.

    Raises:
        ServingError: the file cannot be read, holds no token, or holds one that is easily guessed.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._stamp, self._hashes = self._read()
        self._told = ""
        self._looked = time.monotonic()

    def allows(self, authorization: str | bytes | None) -> bool:
        """Whether the value of an `authorization` header is "Bearer " and one of the tokens."""
        self._refresh()
        given = authorization.encode("utf-8", "replace") if isinstance(authorization, str) else authorization or b""
        scheme, _, token = given.partition(b" ")
        hashed = hashlib.sha256(token.strip()).digest()
        allowed = False
        for known in self._hashes:  # all of them, always: the time must not tell which was near
            allowed |= hmac.compare_digest(known, hashed)
        return allowed and scheme.lower() == b"bearer"

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked = now
            if self._stamp_of() != self._stamp:
                self._stamp, self._hashes = self._read()
                self._told = ""
                logger.info("Read %d tokens of %s", len(self._hashes), self.path)
        except (OSError, ServingError) as error:
            problem = str(error) if isinstance(error, ServingError) else f"{self.path} cannot be read"
            if problem != self._told:  # once, and not every second
                logger.error("The tokens stay as they were: %s", problem)
            self._told = problem
        finally:
            self._lock.release()

    def _stamp_of(self) -> tuple[int, int, int]:
        found = os.stat(self.path)
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> tuple[tuple[int, int, int], tuple[bytes, ...]]:
        try:
            stamp, text = self._stamp_of(), self.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ServingError(f"The tokens in {self.path} cannot be read ({reason}): check the file.") from error
        tokens = [line.partition("#")[0].strip() for line in text.splitlines()]
        tokens = [token for token in tokens if token]
        if not tokens:
            raise ServingError(f"{self.path} holds no token: write one on each line.")
        short = next((number for number, token in enumerate(tokens, 1) if len(token) < LEAST), None)
        if short is not None:
            raise ServingError(f"Token {short} of {self.path} is too short: give at least {LEAST} random characters.")
        return stamp, tuple(hashlib.sha256(token.encode()).digest() for token in tokens)


class TokenInterceptor(grpc.ServerInterceptor):  # type: ignore[misc]
    """Lets only calls with a token through to any gRPC method but the health check.

    Args:
        tokens: who is let in.
        metrics: told who is not.
    """

    def __init__(self, tokens: TokenFile, metrics: Metrics = NULL) -> None:
        self._tokens = tokens
        self._metrics = metrics

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """The method's own handler, or one that refuses."""
        if details.method in _OPEN_METHODS:
            return continuation(details)
        given = [value for key, value in details.invocation_metadata if key == "authorization"]
        if len(given) == 1 and self._tokens.allows(given[0]):
            return continuation(details)
        self._metrics.refused("GRPC", "token")
        handler = continuation(details)
        return handler and _REFUSALS[(handler.request_streaming, handler.response_streaming)]


def _refuse(request: Any, context: Any) -> Any:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "A valid bearer token is needed.")


# A refusal must have the form of the method that is called.
_REFUSALS = {
    (False, False): grpc.unary_unary_rpc_method_handler(_refuse),
    (False, True): grpc.unary_stream_rpc_method_handler(_refuse),
    (True, False): grpc.stream_unary_rpc_method_handler(_refuse),
    (True, True): grpc.stream_stream_rpc_method_handler(_refuse),
}
