"""Nobody can hold the HTTP port up: its limits of time, connections and bytes."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest

from tests.serving.protocol.rest_port import LIMITS, post, send, status_of
from tfrec.serving.server.rest.listener import RestListener


@pytest.mark.parametrize("begun", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", post(b"ab", "Content-Length: 900")])
def test_a_slow_client_is_not_waited_for(echo: RestListener, begun: bytes) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as client:
        client.sendall(begun)
        received = b""
        for _ in range(100):  # a byte now and then must not prolong the time
            try:
                client.sendall(b"x")
                client.settimeout(0.05)
                received = client.recv(1000)
                break
            except TimeoutError:
                continue
            except OSError:
                break
    assert received[:12] in (b"HTTP/1.1 408", b"HTTP/1.1 400") or not received
    assert time.monotonic() - started < 3


def test_too_many_connections_are_turned_away_and_places_come_back(echo: RestListener) -> None:
    held = [socket.create_connection(("127.0.0.1", echo.port)) for _ in range(LIMITS.connections)]
    time.sleep(0.2)
    assert status_of(send(echo, b"")) == 503  # said at once, before the request
    for client in held:
        client.close()
    time.sleep(0.2)
    assert status_of(send(echo, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert 'tfrec_serving_refused_total{entrypoint="REST",why="connections"} 1' in echo.metrics.page()


def test_too_many_bytes_at_once_are_turned_away(echo: RestListener) -> None:
    held = []
    for _ in range(2):  # 49,999 come of each, of 120,000; 1,000 do not count
        client = socket.create_connection(("127.0.0.1", echo.port))
        client.sendall(post(b"a" * 49_999, "Content-Length: 50000"))
        held.append(client)
    time.sleep(0.2)
    assert status_of(send(echo, post(b"a" * 40_000, "Content-Length: 40000"))) == 429
    assert status_of(send(echo, post(b"a" * 1000, "Content-Length: 1000"))) == 200  # small ones pass whatever others do
    for client in held:
        client.close()
    time.sleep(0.2)
    assert status_of(send(echo, post(b"a" * 40_000, "Content-Length: 40000"))) == 200


@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked", "Content-Length: 50000", "Content-Encoding: gzip"])
def test_what_is_only_announced_holds_nothing(echo: RestListener, head: str) -> None:
    announced = [head] if "Length" in head or "Transfer" in head else [head, "Content-Length: 50000"]
    held = [socket.create_connection(("127.0.0.1", echo.port)) for _ in range(LIMITS.connections - 1)]
    for client in held:
        client.sendall(post(b"", *announced))
    time.sleep(0.1)
    assert status_of(send(echo, post(b"a" * 40_000, "Content-Length: 40000"))) == 200
    for client in held:
        client.close()


def test_packed_bodies_count_as_what_they_are(echo: RestListener) -> None:
    packed = gzip.compress(b'{"query": "sofa"}' * 100)
    api, answers = echo.api, []
    request = post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip", path="/slow")
    clients = [
        threading.Thread(target=lambda: answers.append(status_of(send(echo, request))))
        for _ in range(LIMITS.connections)
    ]
    for client in clients:
        client.start()
    assert api.inside.wait(5)
    time.sleep(0.2)
    api.go_on.set()  # all were inside at once
    for client in clients:
        client.join(5)
    assert answers == [200] * LIMITS.connections
    assert echo.body_budget.take(LIMITS.total_body_bytes)  # and all was given back


def test_an_unpacked_body_is_counted_while_it_grows(echo: RestListener) -> None:
    assert echo.body_budget.take(LIMITS.total_body_bytes - 10_000)
    packed = gzip.compress(b"0" * 40_000)
    assert status_of(send(echo, post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))) == 429
    echo.body_budget.give(30_000)
    assert status_of(send(echo, post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))) == 200
