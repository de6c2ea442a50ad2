"""A REST port over a small API, and the bytes that are sent to it."""

from __future__ import annotations

import json
import re
import socket
import threading
import zlib
from typing import Any

from tfrec.serving.server.rest.limits import Limits
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.rest.message import Reply, Request

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


def send(listener: RestListener, data: bytes, wait: float = 5) -> bytes:
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


def post(body: bytes, *headers: str, path: str = "/x") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def as_json(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    assert found is not None, answer[:200]
    return int(found[1])
