"""The client of a catalogue whose parts lie on several servers, for threads."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from tfrec.serving.client.calls import closed
from tfrec.serving.client.sharded_aio import AsyncShardedClient

T = TypeVar("T")
P = ParamSpec("P")


def _waited(
    method: Callable[Concatenate[AsyncShardedClient, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[ShardedClient, P], T]:
    """The method of the asyncio client, waited for."""

    def waited(self: ShardedClient, *arguments: P.args, **options: P.kwargs) -> T:
        return self._run(method(self._client, *arguments, **options))

    functools.update_wrapper(waited, method)
    waited.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    return waited


class ShardedClient:
    """As `AsyncShardedClient`, safe to use from several threads; arguments and answers are the same.

    >>> with ShardedClient(["host-0:8500", "host-1:8500"]) as shop:          # doctest: +SKIP
    ...     answer = shop.search("red leather sofa", k=3)
    ...     answer.partial, answer[0]
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._client = AsyncShardedClient(*arguments, **options)
        self._loop = asyncio.new_event_loop()  # one thread talks to all shards; callers wait for it
        self._thread = threading.Thread(target=self._loop.run_forever, name="tfrec-shards", daemon=True)
        self._thread.start()

    search = _waited(AsyncShardedClient.search)
    recommend = _waited(AsyncShardedClient.recommend)
    personalised_search = _waited(AsyncShardedClient.personalised_search)
    similar_items = _waited(AsyncShardedClient.similar_items)
    explain = _waited(AsyncShardedClient.explain)
    embed_query = _waited(AsyncShardedClient.embed_query)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            coroutine.close()
            raise closed()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """Closes the connections and ends the thread."""
        if self._thread.is_alive():
            self._run(self._client.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> ShardedClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
