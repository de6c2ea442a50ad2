"""Hedged requests: where an answer is late, another server is asked as well, and the first answer counts.

Source: Dean & Barroso 2013, The tail at scale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.retry import RetryBudget

T = TypeVar("T")
# Another server would say the same.
FINAL = ("INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "FAILED_PRECONDITION")


async def hedged(attempts: Sequence[Callable[[], Awaitable[T]]], after: float, budget: RetryBudget, servers: int) -> T:
    """The first answer of several attempts, which are begun one after the other.

    Args:
        attempts: what can be tried, in this order; at least one.
        after: seconds without an answer after which the next one is begun besides.
        budget: bounds what is begun beyond the first.
        servers: so many of the first attempts are at different servers; those behind wait for all before to fail.

    Raises:
        ClientError: of the last attempt that failed, or at once where another would say the same.
    """
    budget.call()
    waiting, running, error = list(attempts), set[asyncio.Task[T]](), ClientError("UNAVAILABLE", "Nothing was asked.")
    try:
        running.add(_begun(waiting.pop(0)))
        while running:
            other = bool(waiting) and len(attempts) - len(waiting) < servers
            done, running = await asyncio.wait(
                running, timeout=after if other else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                failure = task.exception()
                if failure is None:
                    return task.result()
                if not isinstance(failure, ClientError) or failure.code in FINAL:
                    raise failure
                error = failure
            if waiting and (not done or not running):
                if budget.take():
                    running.add(_begun(waiting.pop(0)))
                else:
                    waiting.clear()
        raise error
    finally:
        for task in running:
            task.cancel()


def _begun(attempt: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
    return asyncio.ensure_future(attempt())  # type: ignore[return-value]
