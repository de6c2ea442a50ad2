"""The same calls for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio

from tfrec.serving.client.calls import Connection, Stubs, closed
from tfrec.serving.client.operations import Operation
from tfrec.serving.client.shopper_header import with_shopper


class AsyncCaller:
    """Calls from the coroutines of one event loop.

    The channels are opened by the first call, because grpc.aio ties a channel to the loop that runs at that moment.

    Args:
        connection: where and how.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channels: list[Any] = []
        self._stubs: list[Stubs] = []
        self._closed = False

    def _open(self) -> None:
        if self._closed:
            raise closed()
        if not self._stubs:
            self._channels = self._connection.channels(grpc.aio.insecure_channel, grpc.aio.secure_channel)
            self._stubs = [self._connection.stubs(channel) for channel in self._channels]

    async def run(self, operation: Operation[Any]) -> Any:
        """Sends a request and reads the answer; a cancelled task cancels the call at the server too.

        Raises:
            ClientError: no answer, a refusal, or an answer that cannot be read.
        """
        connection = self._connection
        attempts, allowed = connection.attempts(operation.timeout)
        metadata = with_shopper(connection.token.metadata())
        while True:
            self._open()
            stub = self._stubs[attempts.target][operation.method]
            try:
                answer = await stub(operation.request, timeout=attempts.seconds_left(), metadata=metadata)
            except (grpc.aio.UsageError, asyncio.CancelledError) as error:
                if self._closed:  # while the call was on its way
                    raise closed() from error
                raise
            except grpc.RpcError as error:
                target, pause = attempts.target, attempts.pause_after(error.code().name)
                if pause is None:
                    raise connection.told(error, target, allowed) from None
                await asyncio.sleep(pause)
                continue
            attempts.answered()
            return operation.read(answer)

    async def close(self) -> None:
        """Ends open calls and the connections."""
        self._closed = True
        channels, self._channels, self._stubs = self._channels, [], []
        for channel in channels:
            await channel.close()
