"""From bytes to requests: httptools (llhttp, the strict parser of Node.js) reads them, what they hold is bounded here.

Heads, bodies, and what packed bodies grow to are counted while they arrive, never by what is announced.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

import httptools

from tfrec.serving.server.rest.limits import Budget, Held, Limits
from tfrec.serving.server.rest.message import HttpError, Request

_SINGLE = ("host", "authorization", "content-encoding", "expect")  # httptools sees to those that tell the length
_MOST_HEADERS = 100
_UNPACKED_PIECE = 256 << 10


class State(Enum):
    """Where a connection stands: between requests, in a head, or in a body."""

    IDLE = 0
    HEAD = 1
    BODY = 2


class RequestParser:
    """Reads the requests of one connection.

    Args:
        limits: what is allowed.
        budget: of the bodies of all connections.
        admit: called with each head before its body is read; raises HttpError to refuse it.

    Attributes:
        ready: complete requests that wait for their answer, each with what it holds of the budget.
        error: why nothing more is read, once those are answered.
        state: where the connection stands.
        asks: whether the client waits for "100 Continue" before it sends the body.
    """

    def __init__(self, limits: Limits, budget: Budget, admit: Callable[[Request], None]) -> None:
        self.ready: deque[tuple[Request, Held]] = deque()
        self.error: HttpError | None = None
        self.state, self.asks = State.IDLE, False
        self._limits, self._budget, self._admit = limits, budget, admit
        self._parser = httptools.HttpRequestParser(self)
        self._held = Held(budget, limits.free_body_bytes)
        self._size = self._unread = 0  # bytes of a head or of trailers; those that httptools may keep to itself

    def feed(self, data: bytes) -> None:
        """Takes what has arrived; afterwards there may be more in `ready`, or an `error`."""
        self._unread += len(data)  # what is called below sets it back
        try:
            while data:
                data = self._fed(data)
            if self.state is not State.IDLE:
                self._grow(0)
        except HttpError as error:
            self.error = error
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, HttpError):
                raise
            self.error = error.__context__
        except httptools.HttpParserError:
            self.error = HttpError(400, "The request is not HTTP/1.1.")

    def _fed(self, data: bytes) -> bytes:
        """Feeds the parser, and gives what it has to be fed next."""
        try:
            self._parser.feed_data(data)
            return b""
        except httptools.HttpParserUpgrade as upgrade:
            # Offers of another protocol are passed over (RFC 9110, 7.8). This parser would take the body for the other
            # protocol's, so it is given the head anew without the offer.
            lines = [f"{name}: {value}".encode("latin-1") for name, value in self._headers.items() if name != "upgrade"]
            first = b"%s %s HTTP/%s" % (self._parser.get_method(), self._url, self._parser.get_http_version().encode())
            self._parser = httptools.HttpRequestParser(self)
            return b"\r\n".join([first, *lines, b"", data[upgrade.args[0] :]])

    def release(self) -> None:
        """Gives back what unfinished and unanswered requests hold."""
        for held in (self._held, *(held for _, held in self.ready)):
            held.release()

    def _grow(self, count: int) -> None:
        self._size += count
        if self._size + self._unread > self._limits.header_bytes:
            raise HttpError(431, "The request's head is too long.")

    def on_message_begin(self) -> None:  # this and what follows is called by httptools
        self.state = State.HEAD
        self._size = self._unread = self._count = self._arrived = 0
        self._url, self._headers, self._body = b"", dict[str, str](), bytearray()

    def on_url(self, url: bytes) -> None:
        self._unread = 0
        self._grow(len(url))
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._unread, self._count = 0, self._count + 1
        self._grow(len(name) + len(value) + 4)
        if self._count > _MOST_HEADERS:
            raise HttpError(431, "The request has too many headers.")
        key, text = name.decode("ascii").lower(), value.decode("latin-1").strip(" \t")
        if self.state is State.BODY:  # a trailer, which nobody needs
            return
        if key in self._headers:
            if key in _SINGLE:
                raise HttpError(400, f"The header {key} is given twice.")
            text = f"{self._headers[key]}, {text}"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        request = self._request()
        if self._parser.should_upgrade():  # see _fed
            return
        self._admit(request)
        headers, version = self._headers, self._parser.get_http_version()
        # With both, or with two lengths, httptools has refused the request already.
        coding = headers.get("transfer-encoding")
        if coding is not None and (coding.lower() != "chunked" or version == "1.0"):
            raise HttpError(501, "The only transfer-encoding that is understood is chunked.")
        length = int(headers.get("content-length", 0))
        if length > self._limits.body_bytes:
            raise HttpError(413, f"The body has {length} bytes, at most {self._limits.body_bytes} are allowed.")
        if headers.get("expect", "100-continue").lower() != "100-continue":
            raise HttpError(400, "The only expectation that is understood is 100-continue.")
        packing = headers.get("content-encoding", "identity").lower() if length or coding else "identity"
        if packing not in ("identity", "gzip", "x-gzip", "deflate"):
            raise HttpError(415, "The only content-encodings that are understood are gzip and deflate.")
        # 47: gzip or zlib, by their first bytes
        self._unpacker = None if packing == "identity" else zlib.decompressobj(47)
        self.state, self.asks = State.BODY, "expect" in headers
        self._size, self._coming = 0, request

    def _request(self) -> Request:
        """The head, checked as far as httptools does not."""
        headers, version = self._headers, self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise HttpError(505, "This server speaks HTTP/1.1.")
        if version == "1.1" and "host" not in headers:
            raise HttpError(400, "The header host is missing.")
        target, host = self._url.decode("latin-1").partition("#")[0], headers.get("host")
        if target[:7].lower() == "http://" or target[:8].lower() == "https://":
            host, _, path = target.split("://", 1)[1].partition("/")
            target = f"/{path}"
        # httptools takes every CONNECT for an upgrade, with whatever target.
        if not target.startswith("/") or self._parser.get_method() == b"CONNECT":
            raise HttpError(400, "The request's target is not a path.")
        path, _, query = target.partition("?")
        return Request(self._parser.get_method().decode("ascii"), path, query, headers, host)

    def on_body(self, piece: bytes) -> None:
        self._unread, self.asks, self._arrived = 0, False, self._arrived + len(piece)
        if self._arrived > self._limits.body_bytes:
            raise HttpError(413, f"The body has more than {self._limits.body_bytes} bytes.")
        if self._unpacker is None:
            self._keep(piece)
        while self._unpacker is not None and piece and not self._unpacker.eof:
            self._keep(self._unpacked(self._unpacker, piece))
            piece = self._unpacker.unconsumed_tail

    def _keep(self, piece: bytes) -> None:
        if len(self._body) + len(piece) > self._limits.body_bytes:
            raise HttpError(413, f"The unpacked body has more than {self._limits.body_bytes} bytes.")
        self._held.take(len(piece))
        self._body += piece

    @staticmethod
    def _unpacked(unpacker: Any, piece: bytes) -> bytes:
        try:
            unpacked: bytes = unpacker.decompress(piece, _UNPACKED_PIECE)
        except zlib.error:
            raise HttpError(400, "The body cannot be unpacked.") from None
        return unpacked

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            return
        while self._unpacker is not None and self._arrived and not self._unpacker.eof:
            piece = self._unpacked(self._unpacker, b"")
            if not piece:
                raise HttpError(400, "The packed body is not complete.")
            self._keep(piece)
        self.state, self.asks, request = State.IDLE, False, self._coming
        request.body, request.keep_alive = bytes(self._body), self._parser.should_keep_alive()
        self.ready.append((request, self._held))
        self._held = Held(self._budget, self._limits.free_body_bytes)
