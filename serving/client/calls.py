"""One channel, deadlines, retries where they are safe, and gRPC's errors in one sentence each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import grpc

from serving.client.errors import ClientError

_LOOPBACK = ("127.", "localhost:", "[::1]:", "unix:")
_FIRST_PAUSE = 0.1  # seconds; doubled with every attempt, drawn uniformly below (full jitter)


class Caller:
    """Calls unary methods of one server over one reused channel. Safe to use from several threads.

    Args:
        target: "host:port" or any other name that gRPC resolves.
        timeout: seconds for a whole call, its retries included.
        retries: further attempts after the first, made only when the server could not be reached (UNAVAILABLE).
        max_message_bytes: largest message that is sent or accepted.
    """

    def __init__(self, target: str, timeout: float, retries: int, max_message_bytes: int) -> None:
        if "/" not in target and not target.startswith("unix:"):
            host, _, port = target.rpartition(":")
            if not host or not port.isdigit():
                raise ClientError("INVALID_ARGUMENT", f"The target must look like host:port, not {target!r}.")
        if timeout <= 0:
            raise ClientError("INVALID_ARGUMENT", f"The timeout must be above 0 seconds, not {timeout:g}.")
        self.target = target
        self.timeout = timeout
        self._retries = retries
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.enable_retries", 0),  # retried here, within one deadline
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        if target.startswith(_LOOPBACK):
            options.append(("grpc.enable_http_proxy", 0))  # a company's proxy never stands before one's own machine
        self._channel = grpc.insecure_channel(target, options=options)

    def method(self, path: str, response: Any) -> Callable[[Any, float | None], Any]:
        """Gives a function `(request, timeout or None) -> response` for a method's full path."""
        stub = self._channel.unary_unary(
            path,
            # Deterministic: maps have no order of their own, and equal requests should be equal bytes.
            request_serializer=lambda message: message.SerializeToString(deterministic=True),
            response_deserializer=response.FromString,
        )
        return lambda request, timeout: self._call(stub, request, timeout)

    def _call(self, stub: Any, request: Any, timeout: float | None) -> Any:
        allowed = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + allowed
        attempt = 0
        while True:
            try:
                return stub(request, timeout=max(deadline - time.monotonic(), 0.001))
            except ValueError as error:  # grpc's way to say that the channel is closed
                raise ClientError("CANCELLED", "This client is closed: open a new one.") from error
            except grpc.RpcError as error:
                pause = random.uniform(0, _FIRST_PAUSE * 2**attempt)
                again = attempt < self._retries and time.monotonic() + pause < deadline
                if error.code() is not grpc.StatusCode.UNAVAILABLE or not again:
                    raise self._told(error, allowed) from None
            time.sleep(pause)
            attempt += 1

    def _told(self, error: Any, allowed: float) -> ClientError:
        code = error.code()
        details = " ".join((error.details() or "").split()).rstrip(".")
        if code is grpc.StatusCode.UNAVAILABLE:
            message = f"No server answers at {self.target}: start one with `tfrec serve` or check the address."
        elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
            message = (
                f"The server at {self.target} did not answer within {allowed:g} s: "
                "send fewer rows at once or give the client a longer timeout."
            )
        else:
            message = f"The server at {self.target} refused the request ({code.name}): {details}."
        return ClientError(code.name, message)

    def close(self) -> None:
        """Ends open calls and the connection."""
        self._channel.close()
