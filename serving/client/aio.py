"""The asyncio client: the methods of `tfrec.serving.client.Client`, to be awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from tfrec.serving.client.aio_calls import AsyncCaller
from tfrec.serving.client.client import READY_POLL, Opened, Waiting
from tfrec.serving.client.operations import Operation, Operations, described_by
from tfrec.serving.client.results import VersionStatus

T = TypeVar("T")
P = ParamSpec("P")


def _awaited(
    make: Callable[Concatenate[Operations, P], Operation[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """The coroutine that sends what `make` makes and waits for its answer."""

    async def method(self: AsyncClient, *arguments: P.args, **options: P.kwargs) -> T:
        answer: T = await self._caller.run(make(self._operations, *arguments, **options))
        return answer

    return described_by(make, method)


class AsyncClient(Opened):
    """As `tfrec.serving.client.Client`, for one asyncio event loop; arguments and answers are the same.

    >>> async with AsyncClient("127.0.0.1:8500") as shop:          # doctest: +SKIP
    ...     [hits] = await shop.search("red leather sofa", k=3)

    Cancelling a task that waits for an answer cancels the call at the server too.
    """

    _opened_by = AsyncCaller

    search = _awaited(Operations.search)
    recommend = _awaited(Operations.recommend)
    personalised_search = _awaited(Operations.personalised_search)
    similar_items = _awaited(Operations.similar_items)
    search_image = _awaited(Operations.search_image)
    understand = _awaited(Operations.understand)
    explain = _awaited(Operations.explain)
    leave_one_out = _awaited(Operations.leave_one_out)
    embed_query = _awaited(Operations.embed_query)
    embed_item = _awaited(Operations.embed_item)
    predict = _awaited(Operations.predict)
    status = _awaited(Operations.status)
    metadata = _awaited(Operations.metadata)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._caller.close()

    async def wait_until_ready(self, seconds: float = 60.0) -> VersionStatus:
        """Waits until the server has a version that answers; see `Client.wait_until_ready`."""
        waiting = Waiting(seconds)
        while True:
            with waiting:
                waiting.looked(await self.status(timeout=waiting.timeout()))
            if waiting.found is not None:
                return waiting.found
            await asyncio.sleep(READY_POLL)
