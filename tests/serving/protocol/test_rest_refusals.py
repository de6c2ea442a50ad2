"""What the HTTP port refuses before its API sees it."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.protocol.rest_port import LIMITS, Echo, as_json, post, send, status_of
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.security.tokens import TokenFile

BOMB = gzip.compress(b"0" * 1_000_000)
REFUSED = {
    "no http": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello tls\n", 400),
    "lower version": (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505),
    "higher version": (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "tunnel": (b"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "tunnel to an address": (b"CONNECT http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "endless trailer": (post(b"0\r\nA: " + b"b" * 300_000, "Transfer-Encoding: chunked"), 431),
    "endless extension": (post(b"1;a=" + b"b" * 300_000, "Transfer-Encoding: chunked"), 431),
    "no path": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "folded line": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
    "control character": (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
    "two lengths": (post(b"ab", "Content-Length: 1", "Content-Length: 2"), 400),
    "length and chunks": (post(b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"), 400),
    "negative length": (post(b"", "Content-Length: -1"), 400),
    "length with plus": (post(b"a", "Content-Length: +1"), 400),
    "other coding": (post(b"a", "Transfer-Encoding: gzip, chunked"), 501),
    "too long": (post(b"", "Content-Length: 50001"), 413),
    "endless length": (post(b"", "Content-Length: " + "9" * 30), 400),
    "lines without CR": (b"GET / HTTP/1.0\n\n", 400),
    "long chunks": (post(b"fffff\r\n" + b"a" * 50_001, "Transfer-Encoding: chunked"), 413),
    "broken chunk size": (post(b"zz\r\n", "Transfer-Encoding: chunked"), 400),
    "chunk without end": (post(b"1\r\nabc\r\n", "Transfer-Encoding: chunked"), 400),
    "packed bomb": (post(BOMB, f"Content-Length: {len(BOMB)}", "Content-Encoding: gzip"), 413),
    "not packed": (post(b"abc", "Content-Length: 3", "Content-Encoding: gzip"), 400),
    "cut off packing": (post(BOMB[:30], "Content-Length: 30", "Content-Encoding: gzip"), 400),
    "unknown packing": (post(b"abc", "Content-Length: 3", "Content-Encoding: br"), 415),
    "long line": (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 200 + b"\r\n", 431),
    "long headers": (b"GET / HTTP/1.1\r\n" + b"a: " + b"b" * 1500 + b"\r\nc: " + b"d" * 600 + b"\r\n\r\n", 431),
    "other expectation": (post(b"", "Expect: wonders"), 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_plain_http_is_refused_and_the_connection_ends(echo: RestListener, case: str) -> None:
    data, status = REFUSED[case]
    answer = send(echo, data)
    assert status_of(answer) == status and b"Connection: close" in answer
    assert isinstance(as_json(answer)["error"], str)
    assert status_of(send(echo, b"GET / HTTP/1.0\r\n\r\n")) == 200


def test_tokens_are_asked_for_before_the_body_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("the-first-token-of-all\n")
    listener = RestListener(Echo(), TokenFile(file), limits=LIMITS, hosts=["x"])
    listener.start("127.0.0.1", 0)

    def status(*headers: str) -> int:
        return status_of(send(listener, post(b"ab", "Content-Length: 2", *headers)))

    try:
        assert status() == 401 and b"WWW-Authenticate: Bearer" in send(listener, post(b""))
        assert status("Authorization: Bearer the-first-token-of-all") == 200
        assert status("Authorization: bearer  the-first-token-of-all ") == 200
        assert status("Authorization: Bearer the-first-token-of-al") == 401
        assert status("Authorization: Basic the-first-token-of-all") == 401
        assert status(*["Authorization: Bearer the-first-token-of-all"] * 2) == 400
        assert status_of(send(listener, post(b"", "Content-Length: 40000"))) == 401
    finally:
        listener.stop(0.2)


def test_the_port_leaks_neither_threads_nor_sockets(echo: RestListener, open_files: Callable[[], int]) -> None:
    before = threading.active_count(), open_files()
    for case in list(REFUSED) * 2:
        send(echo, REFUSED[case][0])
    for _ in range(50):
        if (threading.active_count(), open_files()) <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before[0] and open_files() <= before[1]
