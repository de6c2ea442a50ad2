"""One channel for each target, kept open; deadlines, retries, and gRPC's errors in one sentence each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from tfrec.serving.client.checks import seconds, whole
from tfrec.serving.client.connection import Tls, Token, channel_options, check_targets, is_loopback
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.operations import METHODS, Operation
from tfrec.serving.client.retry import Attempts, RetryBudget, Targets
from tfrec.serving.client.shopper_header import with_shopper

Stubs = dict[str, Callable[..., Any]]
_MOST_RETRIES, _LARGEST_MESSAGE = 1000, 2**31 - 1


class Connection:
    """What the callers with threads and with asyncio share: addresses, credentials, limits and the wording of errors.

    Args:
        targets: "host:port", or any other name that gRPC resolves, or several.
        timeout: seconds for a whole call, its retries included.
        retries: further attempts after the first, made only when a server could not be reached (UNAVAILABLE).
        max_message_bytes: largest message that is sent or accepted.
        tls: encrypts; None speaks plain text.
        token: bearer token.
        token_file: file that holds the token.

    Raises:
        ClientError: an argument is wrong, or a token would leave this machine unencrypted.
    """

    def __init__(
        self,
        targets: str | Sequence[str],
        timeout: float,
        retries: int,
        max_message_bytes: int,
        tls: Tls | None,
        token: str | None,
        token_file: str | Path | None,
    ) -> None:
        timeout = seconds(timeout)
        whole(retries, "The number of retries", 0, _MOST_RETRIES)
        whole(max_message_bytes, "The largest message in bytes", 1, _LARGEST_MESSAGE)
        self.targets = Targets(check_targets(targets))
        self.timeout, self.retries, self.tls = timeout, retries, tls
        self.credentials = None if tls is None else tls.credentials()
        self.token = Token(token, token_file)
        if tls is None and self.token.metadata() and not all(map(is_loopback, self.targets.names)):
            message = "A token would cross the network readable for everyone: give the client tls=Tls(...)."
            raise ClientError("INVALID_ARGUMENT", message)
        self._max_message_bytes = max_message_bytes
        self._budget = RetryBudget()

    def channels(self, insecure: Callable[..., Any], secure: Callable[..., Any]) -> list[Any]:
        """A channel for each target, made by grpc's or grpc.aio's functions."""
        made = []
        for name in self.targets.names:
            options = channel_options(name, self._max_message_bytes, self.tls)
            if self.credentials is None:
                made.append(insecure(name, options=options))
            else:
                made.append(secure(name, self.credentials, options=options))
        return made

    @staticmethod
    def stubs(channel: Any) -> Stubs:
        """A callable for each method of the protocol."""
        return {
            method: channel.unary_unary(
                path,
                # Deterministic: maps have no order of their own, and equal requests should be equal bytes.
                request_serializer=lambda message: message.SerializeToString(deterministic=True),
                response_deserializer=response.FromString,
            )
            for method, (path, response) in METHODS.items()
        }

    def attempts(self, timeout: float | None) -> tuple[Attempts, float]:
        """The attempts of one call, and the seconds that it has.

        Raises:
            ClientError: the timeout is no time that can be waited.
        """
        allowed = self.timeout if timeout is None else seconds(timeout)
        return Attempts(self.targets, self._budget, self.retries, allowed), allowed

    def told(self, error: Any, target: int, allowed: float) -> ClientError:
        """A gRPC error in one sentence.

        Args:
            error: grpc.RpcError of a call.
            target: number of the target that was called last.
            allowed: seconds that the call had.
        """
        code, name = error.code(), self.targets.names[target]
        details = " ".join((error.details() or "").split()).rstrip(".")
        if code is grpc.StatusCode.UNAVAILABLE and self.tls is not None and "handshake" in details.lower():
            message = (
                f"The server at {name} and this client do not trust each other ({details[:200]}): "
                "check the authority, the client's certificate and the server's name."
            )
        elif code is grpc.StatusCode.UNAVAILABLE:
            # All of them, because each was tried or had failed before.
            names = ", ".join(self.targets.names)
            message = f"No server answers at {names}: start one with `tfrec serve` or check the address."
        elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
            message = (
                f"The server at {name} did not answer within {allowed:g} s: "
                "send fewer rows at once or give the client a longer timeout."
            )
        else:
            message = f"The server at {name} refused the request ({code.name}): {details}."
        return ClientError(code.name, message)


def closed() -> ClientError:
    """The error of every call after `close`."""
    return ClientError("CANCELLED", "This client is closed: open a new one.")


class Caller:
    """Calls from threads. Safe to use from several at once.

    Args:
        connection: where and how.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channels = connection.channels(grpc.insecure_channel, grpc.secure_channel)
        self._stubs = [connection.stubs(channel) for channel in self._channels]
        self._closed = False

    def run(self, operation: Operation[Any]) -> Any:
        """Sends a request and reads the answer.

        Raises:
            ClientError: no answer, a refusal, or an answer that cannot be read.
        """
        connection = self._connection
        attempts, allowed = connection.attempts(operation.timeout)
        metadata = with_shopper(connection.token.metadata())
        while True:
            stub = self._stubs[attempts.target][operation.method]
            try:
                answer = stub(operation.request, timeout=attempts.seconds_left(), metadata=metadata)
            except ValueError as error:  # grpc's way to say that the channel is closed
                raise closed() from error
            except grpc.RpcError as error:
                if self._closed:  # by another thread, while the call was on its way
                    raise closed() from error
                target, pause = attempts.target, attempts.pause_after(error.code().name)
                if pause is None:
                    raise connection.told(error, target, allowed) from None
                time.sleep(pause)
                continue
            attempts.answered()
            return operation.read(answer)

    def close(self) -> None:
        """Ends open calls and the connections."""
        self._closed = True
        for channel in self._channels:
            channel.close()
