"""The page's HTTP server: the standard library's, one file of HTML, and four questions answered in JSON.

GET /                                                      the page
GET /api/search?q=&looked=&k=&filter=&diversity=           items for words, or for what was looked at
GET /api/similar?item=&k=                                  items like one
GET /api/because?looked=&k=                                what to offer next
GET /api/about                                             the model's versions

`looked` and `filter` may be repeated; what was looked at last comes last.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tfrec.errors import ServingError
from tfrec.serving.client import ClientError
from tfrec.serving.demo.shop import DemoShop
from tfrec.serving.server.security.hosts import OwnNames

PAGE = Path(__file__).with_name("page.html")
_LONGEST_TEXT, _MOST_LOOKED, _MOST_HITS, _MOST_FILTERS, _MOST_FIELDS = 500, 50, 100, 100, 200
Given = dict[str, list[str]]
_LONGEST_BODY = 1 << 16
_STATUS = {
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "RESOURCE_EXHAUSTED": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
}


class BadRequest(Exception):
    """A wrong parameter, in one sentence."""


def _number(given: Given, name: str, usual: float, least: float, most: float) -> float:
    text = _last(given, name)
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise BadRequest(f"{name} must be a number from {least:g} to {most:g}, not {text[:40]!r}.")
    return value


def _last(given: Given, name: str) -> str:
    text = given.get(name, [""])[-1]
    if len(text) > _LONGEST_TEXT:
        raise BadRequest(f"{name} may have {_LONGEST_TEXT} characters, not {len(text)}.")
    return text


def _list(given: Given, name: str) -> list[str]:
    return [value for value in given.get(name, []) if value.strip()]


def answer(shop: DemoShop, path: str, given: Given) -> dict[str, Any] | None:
    """Answers one question of the page.

    Args:
        shop: what is asked.
        path: such as "/api/search".
        given: the values of each parameter.

    Returns:
        plain JSON values; None for an unknown path.

    Raises:
        BadRequest: a parameter is missing or wrong.
        ClientError: the model server does not answer or refuses.
    """
    k = int(_number(given, "k", 20 if path == "/api/search" else 8, 1, _MOST_HITS))
    looked = _list(given, "looked")[-_MOST_LOOKED:]  # the latest: a model reads no more of a history
    if path == "/api/search":
        diversity = _number(given, "diversity", 0.0, 0.0, 1.0)
        filters = _list(given, "filter")
        if len(filters) > _MOST_FILTERS:
            raise BadRequest(f"At most {_MOST_FILTERS} filters can be asked for at once, not {len(filters)}.")
        return shop.search(_last(given, "q"), looked, k, filters, diversity)
    if path == "/api/similar":
        if not _last(given, "item"):
            raise BadRequest("Name an item: /api/similar?item=ID.")
        return shop.similar(_last(given, "item"), k)
    if path == "/api/because":
        if not looked:
            raise BadRequest("Name the items that were looked at: /api/because?looked=ID.")
        return shop.because(looked, k)
    return shop.about() if path == "/api/about" else None


def content_policy(page: str) -> str:
    """A Content-Security-Policy that lets just the page's own script and style run."""

    def hashes(tag: str) -> str:
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found]
        return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"

    return (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _handler(shop: DemoShop, host: str) -> type[BaseHTTPRequestHandler]:
    page = PAGE.read_text("utf-8")
    policy = content_policy(page)
    # Another site must not reach the page through a name of its own that it points at this machine.
    names = OwnNames(host)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 15  # seconds that a connection may be silent
        server_version, sys_version = "tfrec-demo", ""

        def do_GET(self) -> None:
            self._pass_over_body()
            try:
                parts = urlsplit(self.path)
                if not names.allow(self.headers.get("Host")):
                    self._send(HTTPStatus.FORBIDDEN, {"error": "This page answers under its own address only."})
                    return
                if parts.path in ("/", "/index.html"):
                    self._write(HTTPStatus.OK, page.encode(), "text/html; charset=utf-8")
                    return
                told = answer(shop, parts.path, parse_qs(parts.query, max_num_fields=_MOST_FIELDS))
            except (BadRequest, ValueError) as error:
                self._send(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            except ClientError as error:
                self._send(_STATUS.get(error.code, HTTPStatus.BAD_GATEWAY), {"error": error.message})
            else:
                found = told is not None
                self._send(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND, told or {"error": "No such page."})

        do_HEAD = do_GET

        def _pass_over_body(self) -> None:
            """No question has one; left unread, it would be taken for the next request of the connection."""
            sizes = self.headers.get_all("Content-Length", ["0"])
            size = int(sizes[0]) if len(sizes) == 1 and re.fullmatch("[0-9]{1,9}", sizes[0]) else _LONGEST_BODY + 1
            if "Transfer-Encoding" in self.headers or size > _LONGEST_BODY:
                self.close_connection = True
            else:
                self.rfile.read(size)

        def _send(self, status: HTTPStatus, content: dict[str, Any]) -> None:
            self._write(status, json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"), "application/json")

        def _write(self, status: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the address holds what was typed."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that goes away in the middle of an answer is no event."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class DemoServer:
    """Serves the page from a thread of its own. A context manager.

    Args:
        shop: what the page asks.
        host: interface to listen on.
        port: TCP port; 0 takes a free one.

    Raises:
        ServingError: the port cannot be opened.
    """

    def __init__(self, shop: DemoShop, host: str = "127.0.0.1", port: int = 8080) -> None:
        kind = _Server6 if ":" in host else _Server
        try:
            self._server = kind((host, port), _handler(shop, host))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ServingError(
                f"The port {port} on {host} cannot be opened ({reason}): choose another with --port."
            ) from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> DemoServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
