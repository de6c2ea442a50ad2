"""The asyncio client: the methods of `tfrec.serving.client.Client`, to be awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tfrec.serving.client.aio_calls import AsyncCaller
from tfrec.serving.client.calls import Connection
from tfrec.serving.client.checks import seconds as checked_seconds
from tfrec.serving.client.client import READY_POLL, available
from tfrec.serving.client.connection import Tls
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.operations import Operations, Version
from tfrec.serving.client.results import Hit, ModelMetadata, Understood, VersionStatus


class AsyncClient:
    """As `tfrec.serving.client.Client`, for one asyncio event loop; arguments and answers are the same.

    >>> async with AsyncClient("127.0.0.1:8500") as shop:          # doctest: +SKIP
    ...     [hits] = await shop.search("red leather sofa", k=3)

    Cancelling a task that waits for an answer cancels the call at the server too.
    """

    def __init__(
        self,
        target: str | Sequence[str] = "127.0.0.1:8500",
        model: str = "tfrec",
        timeout: float = 5.0,
        retries: int = 2,
        max_message_bytes: int = 64 << 20,
        *,
        tls: Tls | None = None,
        token: str | None = None,
        token_file: str | Path | None = None,
        version: Version = None,
    ) -> None:
        connection = Connection(target, timeout, retries, max_message_bytes, tls, token, token_file)
        self._caller = AsyncCaller(connection)
        self._operations = Operations(model, version)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._caller.close()

    async def search(
        self, queries: str | Sequence[str], k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = (),
        diversity: float = 0.0, interpret: bool = False,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for typed words; see `Client.search`."""
        return await self._caller.run(self._operations.search(queries, k, filters, diversity, interpret), timeout)

    async def recommend(
        self, histories: Sequence[Sequence[str]], k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0, exclude_seen: bool = True,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for shoppers; see `Client.recommend`."""
        operation = self._operations.recommend(histories, k, filters, diversity, exclude_seen)
        return await self._caller.run(operation, timeout)

    async def personalised_search(
        self, queries: str | Sequence[str], histories: Sequence[Sequence[str]], k: int = 10,
        timeout: float | None = None, *, filters: Sequence[str] = (), diversity: float = 0.0,
        exclude_seen: bool = False, interpret: bool = False,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for typed words and the shopper's history together; see `Client.personalised_search`."""
        operation = self._operations.personalised_search(
            queries, histories, k, filters, diversity, exclude_seen, interpret
        )
        return await self._caller.run(operation, timeout)

    async def similar_items(
        self, item_ids: str | Sequence[str], k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds the nearest other items of each item."""
        return await self._caller.run(self._operations.similar_items(item_ids, k, filters, diversity), timeout)

    async def understand(self, queries: str | Sequence[str], timeout: float | None = None) -> list[Understood]:
        """What queries mean; see `Client.understand`."""
        return await self._caller.run(self._operations.understand(queries), timeout)

    async def explain(
        self,
        queries: str | Sequence[str] | None,
        histories: Sequence[Sequence[str]] | None,
        item_ids: Sequence[Sequence[str]],
        timeout: float | None = None,
    ) -> list[list[dict[str, float]]]:
        """Takes scores apart; see `Client.explain`."""
        return await self._caller.run(self._operations.explain(queries, histories, item_ids), timeout)

    async def embed_query(
        self,
        queries: str | Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        timeout: float | None = None,
    ) -> np.ndarray:
        """Vectors of queries, of histories, or of both together: unit vectors float32 [B, D]."""
        return await self._caller.run(self._operations.embed_query(queries, histories), timeout)

    async def embed_item(self, texts: str | Sequence[str], timeout: float | None = None) -> np.ndarray:
        """Vectors of item texts: unit vectors float32 [B, D]."""
        return await self._caller.run(self._operations.embed_item(texts), timeout)

    async def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        version: Version = None,
        output_filter: Sequence[str] = (),
        timeout: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Calls any signature of the model; see `Client.predict`."""
        return await self._caller.run(self._operations.predict(signature, inputs, version, output_filter), timeout)

    async def status(self, version: Version = None, timeout: float | None = None) -> list[VersionStatus]:
        """State of every version of the model that the server knows, newest first, or of one version."""
        return await self._caller.run(self._operations.status(version), timeout)

    async def metadata(self, version: Version = None, timeout: float | None = None) -> ModelMetadata:
        """The signatures of the model with the names, types and shapes of their inputs and outputs."""
        return await self._caller.run(self._operations.metadata(version), timeout)

    async def wait_until_ready(self, seconds: float = 60.0) -> VersionStatus:
        """Waits until the server has a version that answers; see `Client.wait_until_ready`."""
        deadline = time.monotonic() + checked_seconds(seconds, "The time to wait")
        while True:
            try:
                found = available(await self.status(timeout=max(min(1.0, deadline - time.monotonic()), 0.05)))
                last = ClientError("UNAVAILABLE", "The server knows the model, but no version of it is available yet.")
                if found is not None:
                    return found
            except ClientError as error:
                if error.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "NOT_FOUND"):
                    raise
                last = error
            if time.monotonic() + READY_POLL >= deadline:
                raise last
            await asyncio.sleep(READY_POLL)
