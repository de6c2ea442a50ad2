"""The HTTP port itself, over a small API: what it reads, what it refuses, and that nobody can hold it up."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.rest.limits import Limits
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.rest.message import Reply, Request
from tfrec.serving.server.security.tokens import TokenFile

LIMITS = Limits(
    connections=8, header_bytes=2000, body_bytes=50_000, total_body_bytes=120_000, free_body_bytes=1000,
    idle_seconds=2, header_seconds=0.4, body_seconds=0.6,
)  # fmt: skip


class Echo:
    """Gives back what it was asked."""

    def __init__(self) -> None:
        self.inside = threading.Event()
        self.go_on = threading.Event()

    def respond(self, request: Request) -> Reply:
        path, body = request.path, request.body
        if path == "/slow":
            self.inside.set()
            self.go_on.wait(5)
        if path == "/fault":
            raise RuntimeError("secret")
        told = {"method": request.method, "path": path, "bytes": len(body), "crc": zlib.crc32(body)}
        return Reply(200, json.dumps(told).encode())


@pytest.fixture
def echo() -> Iterator[RestListener]:
    listener = RestListener(Echo(), metrics=Metrics(), limits=LIMITS, hosts=["x"])
    listener.start("127.0.0.1", 0)
    yield listener
    listener.stop(0.2)


def _send(listener: RestListener, data: bytes, wait: float = 5) -> bytes:
    """Sends bytes as they are and reads until the server closes."""
    with socket.create_connection(("127.0.0.1", listener.port), timeout=wait) as client:
        client.sendall(data)
        received = b""
        try:
            while chunk := client.recv(65536):
                received += chunk
        except TimeoutError:
            received += b"<still open>"
        return received


def _post(body: bytes, *headers: str, path: str = "/x") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _json(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def _status(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    assert found is not None, answer[:200]
    return int(found[1])


def test_one_connection_serves_many_requests(echo: RestListener) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=5)
    for number in range(3):
        connection.request("POST", f"/a%20b?x={number}#y", body=b"z" * number)
        answer = json.loads(connection.getresponse().read())
        assert answer == {"method": "POST", "path": "/a%20b", "bytes": number, "crc": zlib.crc32(b"z" * number)}
    connection.request("HEAD", "/")
    head = connection.getresponse()
    assert head.status == 200 and int(head.headers["Content-Length"]) > 0 and head.read() == b""
    connection.close()


def test_requests_sent_at_once_are_answered_in_order(echo: RestListener) -> None:
    answer = _send(echo, b"\r\nGET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
    assert re.findall(rb'"path": "(/\d)"', answer) == [b"/1", b"/2"]


@pytest.mark.parametrize("coding", ["plain", "chunked", "gzip", "deflate", "chunked gzip"])
def test_bodies_in_all_forms_are_the_same(echo: RestListener, coding: str) -> None:
    content, headers = b'{"query": "sofa"}' * 100, []
    sent = content
    if "gzip" in coding or coding == "deflate":
        sent = zlib.compress(content) if coding == "deflate" else gzip.compress(content)
        headers.append(f"Content-Encoding: {coding.split()[-1]}")
    if "chunked" in coding:
        parts = [sent[at : at + 700] for at in range(0, len(sent), 700)]
        sent = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"
        headers.append("Transfer-Encoding: chunked")
    else:
        headers.append(f"Content-Length: {len(sent)}")
    assert _json(_send(echo, _post(sent, *headers)))["crc"] == zlib.crc32(content)


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(echo: RestListener) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as client:
        client.sendall(_post(b"", "Content-Length: 5", "Expect: 100-continue"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert _json(client.recv(1000))["bytes"] == 5
    assert _status(_send(echo, _post(b"", "Content-Length: 9999999", "Expect: 100-continue"))) == 413


BOMB = gzip.compress(b"0" * 1_000_000)
REFUSED = {
    "no http": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello tls\n", 400),
    "lower version": (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505),
    "higher version": (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "no path": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "folded line": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
    "control character": (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
    "two lengths": (_post(b"ab", "Content-Length: 1", "Content-Length: 2"), 400),
    "length and chunks": (_post(b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"), 400),
    "negative length": (_post(b"", "Content-Length: -1"), 400),
    "length with plus": (_post(b"a", "Content-Length: +1"), 400),
    "other coding": (_post(b"a", "Transfer-Encoding: gzip, chunked"), 501),
    "too long": (_post(b"", "Content-Length: 50001"), 413),
    "endless length": (_post(b"", "Content-Length: " + "9" * 30), 400),
    "lines without CR": (b"GET / HTTP/1.0\n\n", 400),
    "long chunks": (_post(b"fffff\r\n" + b"a" * 50_001, "Transfer-Encoding: chunked"), 413),
    "broken chunk size": (_post(b"zz\r\n", "Transfer-Encoding: chunked"), 400),
    "chunk without end": (_post(b"1\r\nabc\r\n", "Transfer-Encoding: chunked"), 400),
    "packed bomb": (_post(BOMB, f"Content-Length: {len(BOMB)}", "Content-Encoding: gzip"), 413),
    "not packed": (_post(b"abc", "Content-Length: 3", "Content-Encoding: gzip"), 400),
    "cut off packing": (_post(BOMB[:30], "Content-Length: 30", "Content-Encoding: gzip"), 400),
    "unknown packing": (_post(b"abc", "Content-Length: 3", "Content-Encoding: br"), 415),
    "long line": (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 200 + b"\r\n", 431),
    "long headers": (b"GET / HTTP/1.1\r\n" + b"a: " + b"b" * 1500 + b"\r\nc: " + b"d" * 600 + b"\r\n\r\n", 431),
    "other expectation": (_post(b"", "Expect: wonders"), 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_plain_http_is_refused_and_the_connection_ends(echo: RestListener, case: str) -> None:
    data, status = REFUSED[case]
    answer = _send(echo, data)
    assert _status(answer) == status and b"Connection: close" in answer
    assert isinstance(_json(answer)["error"], str)
    assert _status(_send(echo, b"GET / HTTP/1.0\r\n\r\n")) == 200


@pytest.mark.parametrize("begun", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", _post(b"ab", "Content-Length: 900")])
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
    assert _status(_send(echo, b"")) == 503  # said at once, before the request
    for client in held:
        client.close()
    time.sleep(0.2)
    assert _status(_send(echo, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert 'tfrec_serving_refused_total{entrypoint="REST",why="connections"} 1' in echo.metrics.page()


def test_too_many_bytes_at_once_are_turned_away(echo: RestListener) -> None:
    held = []
    for _ in range(2):  # 49,999 come of each, of 120,000; 1,000 do not count
        client = socket.create_connection(("127.0.0.1", echo.port))
        client.sendall(_post(b"a" * 49_999, "Content-Length: 50000"))
        held.append(client)
    time.sleep(0.2)
    assert _status(_send(echo, _post(b"a" * 40_000, "Content-Length: 40000"))) == 429
    assert _status(_send(echo, _post(b"a" * 1000, "Content-Length: 1000"))) == 200  # small ones pass whatever others do
    for client in held:
        client.close()
    time.sleep(0.2)
    assert _status(_send(echo, _post(b"a" * 40_000, "Content-Length: 40000"))) == 200


@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked", "Content-Length: 50000", "Content-Encoding: gzip"])
def test_what_is_only_announced_holds_nothing(echo: RestListener, head: str) -> None:
    announced = [head] if "Length" in head or "Transfer" in head else [head, "Content-Length: 50000"]
    held = [socket.create_connection(("127.0.0.1", echo.port)) for _ in range(LIMITS.connections - 1)]
    for client in held:
        client.sendall(_post(b"", *announced))
    time.sleep(0.1)
    assert _status(_send(echo, _post(b"a" * 40_000, "Content-Length: 40000"))) == 200
    for client in held:
        client.close()


def test_packed_bodies_count_as_what_they_are(echo: RestListener) -> None:
    packed = gzip.compress(b'{"query": "sofa"}' * 100)
    api, answers = echo.api, []
    request = _post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip", path="/slow")
    clients = [
        threading.Thread(target=lambda: answers.append(_status(_send(echo, request))))
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
    assert _status(_send(echo, _post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))) == 429
    echo.body_budget.give(30_000)
    assert _status(_send(echo, _post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))) == 200


def test_a_body_of_a_get_is_no_second_request(echo: RestListener) -> None:
    inner = b"GET /inner HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head = b"GET /outer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(inner)
    answer = _send(echo, head + inner + b"GET /next HTTP/1.0\r\n\r\n")
    assert re.findall(rb'"path": "(/\w+)"', answer) == [b"/outer", b"/next"]


@pytest.mark.parametrize("size", [5, 0])
def test_offers_of_another_protocol_are_passed_over(echo: RestListener, size: int) -> None:
    offer = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]
    head = ["POST /offer HTTP/1.1", "Host: x", *offer, f"Content-Length: {size}"]  # as Java's HttpClient sends it
    begun = "\r\n".join(head).encode() + b"\r\n\r\n" + b"hello"[:size][:2]
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as client:
        client.sendall(begun)
        if size:
            time.sleep(0.1)
        client.sendall(b"hello"[:size][2:] + b"GET /next HTTP/1.0\r\n\r\n")
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    assert re.findall(rb'"path": "(/\w+)", "bytes": (\d)', received) == [(b"/offer", b"%d" % size), (b"/next", b"0")]
    for wrong in ("Host: y", "Content-Length: 50001"):  # nothing is passed by with an offer
        assert _status(_send(echo, _post(b"", *offer, wrong))) in (400, 413)
    assert _status(_send(echo, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")) == 400


def test_a_fault_of_the_api_ends_only_its_connection(echo: RestListener, caplog: Any) -> None:
    assert _send(echo, b"GET /fault HTTP/1.0\r\n\r\n") == b""
    assert _status(_send(echo, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert "RuntimeError" in caplog.text and "secret" not in caplog.text


def test_a_stop_lets_the_running_request_finish_and_takes_no_other() -> None:
    api = Echo()
    listener = RestListener(api, limits=LIMITS, hosts=["x"])
    listener.start("127.0.0.1", 0)
    answers: list[bytes] = []
    running = threading.Thread(target=lambda: answers.append(_send(listener, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")))
    running.start()
    assert api.inside.wait(5)
    idle = socket.create_connection(("127.0.0.1", listener.port), timeout=5)
    idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle.recv(1000).startswith(b"HTTP/1.1 200")  # accepted, and kept open
    stopping = threading.Thread(target=listener.stop, args=(5,))
    stopping.start()
    assert idle.recv(10) == b""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", listener.port), timeout=1).recv(1)
        raise OSError  # accepted by the kernel's queue and closed without an answer
    assert stopping.is_alive()
    api.go_on.set()
    running.join(5)
    stopping.join(5)
    assert _status(answers[0]) == 200 and b"Connection: close" in answers[0]
    idle.close()


def test_tokens_are_asked_for_before_the_body_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("the-first-token-of-all\n")
    listener = RestListener(Echo(), TokenFile(file), limits=LIMITS, hosts=["x"])
    listener.start("127.0.0.1", 0)

    def status(*headers: str) -> int:
        return _status(_send(listener, _post(b"ab", "Content-Length: 2", *headers)))

    try:
        assert status() == 401 and b"WWW-Authenticate: Bearer" in _send(listener, _post(b""))
        assert status("Authorization: Bearer the-first-token-of-all") == 200
        assert status("Authorization: bearer  the-first-token-of-all ") == 200
        assert status("Authorization: Bearer the-first-token-of-al") == 401
        assert status("Authorization: Basic the-first-token-of-all") == 401
        assert status(*["Authorization: Bearer the-first-token-of-all"] * 2) == 400
        assert _status(_send(listener, _post(b"", "Content-Length: 40000"))) == 401
    finally:
        listener.stop(0.2)


def test_the_port_leaks_neither_threads_nor_sockets(echo: RestListener, open_files: Callable[[], int]) -> None:
    before = threading.active_count(), open_files()
    for case in list(REFUSED) * 2:
        _send(echo, REFUSED[case][0])
    for _ in range(50):
        if (threading.active_count(), open_files()) <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before[0] and open_files() <= before[1]
