"""One shard: the servers that hold the same part of a catalogue."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from tfrec.serving.client.aio_calls import AsyncCaller
from tfrec.serving.client.calls import Connection
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.operations import Operation
from tfrec.serving.client.retry import RetryBudget, Targets

_REST = 1.0  # seconds that a shard none of whose servers answered is left alone
_PAUSE = 0.1
LOST = ("UNAVAILABLE", "DEADLINE_EXCEEDED")


class Facts(NamedTuple):
    """What a shard tells of itself.

    Attributes:
        number, of: which one it is, from 0, and of how many.
        first, end: its rows of the catalogue, first <= row < end.
        items: of the whole catalogue.
        scorers: whose statistics are needed.
        dimension: of vectors.
        made_of: names what all shards of one export have in common.
    """

    number: int
    of: int
    first: int
    end: int
    items: int
    scorers: int
    dimension: int
    made_of: bytes

    @property
    def size(self) -> int:
        """Items of the part."""
        return self.end - self.first


class Shard:
    """Asks the servers of one shard, in turns.

    Args:
        names: addresses of its servers.
        connect: makes a connection to one of them.
        retries: further attempts after one at each server, at most one each.
    """

    def __init__(self, names: Sequence[str], connect: Callable[[str], Connection], retries: int) -> None:
        self.names = list(names)
        self.budget = RetryBudget()
        self._targets, self._retries = Targets(self.names), retries
        self._callers = [AsyncCaller(connect(name)) for name in self.names]
        self._rests_until = 0.0

    @property
    def rests(self) -> bool:
        """Whether none of its servers answered a moment ago."""
        return self._rests_until > time.monotonic()

    def silent(self) -> None:
        """Tells that none of its servers answered."""
        self._rests_until = time.monotonic() + _REST

    def attempts(self, operation: Operation[Any]) -> list[Callable[[], Awaitable[Any]]]:
        """One at each server, then at the first ones again."""
        order = self._targets.order()
        again = (order * (1 + self._retries))[: self._retries]
        return [
            *(functools.partial(self._ask, number, operation) for number in order),
            *(functools.partial(self._ask, number, operation, random.uniform(0.0, _PAUSE)) for number in again),
        ]

    async def _ask(self, number: int, operation: Operation[Any], pause: float = 0.0) -> Any:
        await asyncio.sleep(pause)
        try:
            answer = await self._callers[number].run(operation)
        except ClientError as error:
            if error.code in LOST:
                self._targets.failed(number)
            raise
        self._targets.answered(number)
        return answer

    async def close(self) -> None:
        """Closes the connections."""
        for caller in self._callers:
            await caller.close()
