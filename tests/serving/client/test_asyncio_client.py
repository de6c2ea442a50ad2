"""The asyncio client answers as the other one does, and gives up as cleanly."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from tfrec.serving.client import AsyncClient, Client, ClientError


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 30))


CALLS: dict[str, Callable[[Any], Any]] = {
    "search": lambda c: c.search(["red sofa", "台灯", ""], 4),
    "filters": lambda c: c.search("red", 5, filters=["kind=L"], diversity=0.5),
    "recommend": lambda c: c.recommend([["S-1"], []], 3),
    "personalised": lambda c: c.personalised_search(["sofa", "lamp"], [["S-1"], []], 2),
    "similar": lambda c: c.similar_items("S-2", 2),
    "explain": lambda c: c.explain(["sofa", "lamp"], [["S-1"], []], [["S-1", "S-2"], ["nothing"]]),
    "embed_query": lambda c: c.embed_query(["red"], [["S-1"]]),
    "embed_item": lambda c: c.embed_item(["red lamp"]),
    "predict": lambda c: c.predict("search", {"query": ["lamp"], "k": np.int32(1)}, version=10),
    "status": lambda c: c.status(),
    "metadata": lambda c: c.metadata(),
    "ready": lambda c: c.wait_until_ready(5),
}


def test_both_clients_get_the_same_from_a_real_model(server: Any, client: Client) -> None:
    async def ask() -> dict[str, Any]:
        async with AsyncClient(server.address, "shop", timeout=20) as shop:
            return {name: await call(shop) for name, call in CALLS.items()}

    for name, answer in _run(ask()).items():
        expected = CALLS[name](client)
        if isinstance(answer, dict):
            assert {key: value.tolist() for key, value in answer.items()} == {
                key: value.tolist() for key, value in expected.items()
            }
        elif isinstance(answer, np.ndarray):
            np.testing.assert_array_equal(answer, expected)
        else:
            assert answer == expected


def test_both_clients_have_the_same_methods_and_arguments() -> None:
    def public(kind: type) -> dict[str, list[str]]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        wanted = {name: method for name, method in methods if not name.startswith("_") or name == "__init__"}
        return {
            name: [str(p) for p in inspect.signature(method).parameters.values()] for name, method in wanted.items()
        }

    assert public(AsyncClient) == public(Client)
    assert inspect.signature(Client.search).return_annotation == "list[list[Hit]]"
    assert inspect.iscoroutinefunction(AsyncClient.search) and Client.explain.__doc__ == AsyncClient.explain.__doc__


def test_many_calls_at_once_over_one_connection(scripted: Callable[..., Any]) -> None:
    server = scripted()

    async def ask() -> list[Any]:
        async with AsyncClient(server.address) as shop:
            return await asyncio.gather(*[shop.search(["x"] * rows) for rows in range(1, 51)])

    assert [len(rows) for rows in _run(ask())] == list(range(1, 51))


def test_retries_and_refusals(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.script += ["UNAVAILABLE", None, "INVALID_ARGUMENT"]

    async def ask() -> str:
        async with AsyncClient(server.address) as shop:
            assert (await shop.search("x"))[0][0].item_id == "A"
            with pytest.raises(ClientError, match="scripted INVALID_ARGUMENT") as failed:
                await shop.search("x")
            return failed.value.code

    assert _run(ask()) == "INVALID_ARGUMENT" and len(server.calls) == 3


def test_deadline_and_closed_client(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.delay = 0.4

    async def ask() -> list[str]:
        shop, codes = AsyncClient(server.address, timeout=0.1), []
        with pytest.raises(ClientError) as failed:
            await shop.search("x")
        codes.append(failed.value.code)
        waiting = asyncio.create_task(shop.search("x", timeout=10))
        await asyncio.sleep(0.1)
        await shop.close()
        for work in (waiting, shop.search("x")):
            with pytest.raises(ClientError) as failed:
                await work
            codes.append(failed.value.code)
        return codes

    assert _run(ask()) == ["DEADLINE_EXCEEDED", "CANCELLED", "CANCELLED"]


def test_a_cancelled_task_cancels_the_call_at_the_server(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.delay = 0.3

    async def ask() -> None:
        async with AsyncClient(server.address) as shop:
            waiting = asyncio.create_task(shop.search("x"))
            await asyncio.sleep(0.15)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await asyncio.sleep(0.05)

    _run(ask())
    until = time.monotonic() + 5
    while not server.cancelled and time.monotonic() < until:
        time.sleep(0.02)
    assert server.cancelled == 1
