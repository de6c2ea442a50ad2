"""The HTTP port itself, over a small API: what it reads and answers, and how it stops."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import threading
import time
import zlib
from typing import Any

import pytest

from tests.serving.protocol.rest_port import LIMITS, Echo, as_json, post, send, status_of
from tfrec.serving.server.rest.listener import RestListener


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
    answer = send(echo, b"\r\nGET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
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
    assert as_json(send(echo, post(sent, *headers)))["crc"] == zlib.crc32(content)


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(echo: RestListener) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as client:
        client.sendall(post(b"", "Content-Length: 5", "Expect: 100-continue"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert as_json(client.recv(1000))["bytes"] == 5
    assert status_of(send(echo, post(b"", "Content-Length: 9999999", "Expect: 100-continue"))) == 413


def test_a_head_may_come_in_pieces(echo: RestListener) -> None:
    head = b"GET / HTTP/1.1\r\nConnection: close\r\nHost: x\r\nA: " + b"a" * 1200 + b"\r\nB: b\r\n\r\n"
    with socket.create_connection(("127.0.0.1", echo.port), timeout=5) as client:
        for piece in (head[:20], head[20:-5], head[-5:]):
            client.sendall(piece)
            time.sleep(0.05)
        assert status_of(client.recv(1000)) == 200


def test_a_body_of_a_get_is_no_second_request(echo: RestListener) -> None:
    inner = b"GET /inner HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head = b"GET /outer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(inner)
    answer = send(echo, head + inner + b"GET /next HTTP/1.0\r\n\r\n")
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
        assert status_of(send(echo, post(b"", *offer, wrong))) in (400, 413)
    assert status_of(send(echo, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")) == 400


def test_a_fault_of_the_api_ends_only_its_connection(echo: RestListener, caplog: Any) -> None:
    assert send(echo, b"GET /fault HTTP/1.0\r\n\r\n") == b""
    assert status_of(send(echo, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert "RuntimeError" in caplog.text and "secret" not in caplog.text


def test_a_stop_lets_the_running_request_finish_and_takes_no_other() -> None:
    api = Echo()
    listener = RestListener(api, limits=LIMITS, hosts=["x"])
    listener.start("127.0.0.1", 0)
    answers: list[bytes] = []
    running = threading.Thread(target=lambda: answers.append(send(listener, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")))
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
    assert status_of(answers[0]) == 200 and b"Connection: close" in answers[0]
    idle.close()
