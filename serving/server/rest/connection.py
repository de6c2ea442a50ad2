"""One HTTP/1.1 connection: reads requests within limits of size and time, and sends the replies (RFC 9112).

Strict where leniency has been used for attacks: a body has one length, header lines are not folded, and a connection
that sent something unreadable is closed after its answer.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from typing import Any, Protocol

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.rest.limits import Budget, Held, Limits
from tfrec.serving.server.rest.message import Reply, Request, json_error, read_body, read_head
from tfrec.serving.server.rest.reader import HttpError, Reader
from tfrec.serving.server.security.hosts import OwnNames
from tfrec.serving.server.security.tokens import TokenFile

logger = logging.getLogger("tfrec.serving.server")
_REASONS = {
    100: "Continue", 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 413: "Content Too Large",
    415: "Unsupported Media Type", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    499: "Client Closed Request", 500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
    504: "Gateway Timeout", 505: "HTTP Version Not Supported",
}  # fmt: skip
_LINGER_BYTES, _LINGER_SECONDS = 1 << 20, 1.0


def encode(reply: Reply, close: bool, body: bool = True) -> bytes:
    """A reply as it goes over the wire.

    Args:
        reply: what to say.
        close: whether the connection ends with it.
        body: False for an answer to HEAD, which tells the length only.
    """
    lines = [
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        "X-Content-Type-Options: nosniff",
        *(f"{name}: {value}" for name, value in reply.headers),
        *(["Connection: close"] if close else []),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (reply.body if body else b"")


BUSY = encode(
    Reply(503, json_error("Too many connections are open: try again."), headers=(("Retry-After", "1"),)), True
)


class Port(Protocol):
    """What a connection needs of the port it came by; see RestListener."""

    api: Any
    tokens: TokenFile | None
    metrics: Metrics
    limits: Limits
    names: OwnNames
    body_budget: Budget
    stopping: bool

    def closed(self, connection: Any, /) -> None: ...


class Connection:
    """Serves one client until it leaves, misbehaves, or the server stops.

    Args:
        client: the accepted socket.
        listener: the port it came by.
        context: TLS settings, None for plain text.
    """

    def __init__(self, client: socket.socket, listener: Port, context: ssl.SSLContext | None) -> None:
        self.busy = False
        self._socket = client
        self._listener = listener
        self._context = context

    def serve(self) -> None:
        """Answers requests, one after the other. Runs in a thread of its own and never raises."""
        try:
            with contextlib.suppress(OSError, ssl.SSLError, ValueError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is not None:
                    self._socket.settimeout(self._listener.limits.header_seconds)
                    self._socket = self._context.wrap_socket(self._socket, server_side=True)
                reader = Reader(self._socket)
                while not self._listener.stopping and self._exchange(reader):
                    pass
        except Exception as error:  # a fault of this file: the server has to live on
            logger.error("A REST connection failed: %s", type(error).__name__)
        finally:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._listener.closed(self)

    def abandon(self) -> None:
        """Ends the connection from another thread."""
        with contextlib.suppress(OSError):
            # Not the method of an SSLSocket: that one drops the TLS state under the feet of the reading thread.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _exchange(self, reader: Reader) -> bool:
        """Reads one request and answers it; False ends the connection."""
        limits = self._listener.limits
        reader.allow(limits.idle_seconds)
        if not reader.wait():
            return False
        self.busy = True
        try:
            reader.allow(limits.header_seconds)
            try:
                request = read_head(reader, limits.header_bytes)
            except HttpError as error:
                self._refuse(error, reader)
                return False
            held = Held(self._listener.body_budget, limits.free_body_bytes)
            try:
                self._check_name(request)
                self._check_token(request)
                body = self._body(reader, request, held)
                reply = self._listener.api.respond(request.method, request.path, request.headers, body)
            except HttpError as error:
                self._refuse(error, reader)
                return False
            finally:
                held.release()
            keep = request.keep_alive and not self._listener.stopping
            self._send(encode(reply, not keep, request.method != "HEAD"))
            return keep
        except TimeoutError:
            self._refuse(HttpError(408, "The request did not arrive in time."), reader)
            return False
        finally:
            self.busy = False

    def _check_name(self, request: Request) -> None:
        if not self._listener.names.allow(request.host):
            raise HttpError(403, "This server answers under its own address only (see --rest_allowed_hosts).")

    def _check_token(self, request: Request) -> None:
        tokens = self._listener.tokens
        if tokens is not None and not tokens.allows(request.headers.get("authorization")):
            self._listener.metrics.refused("REST", "token")
            raise HttpError(401, "A valid bearer token is needed.", (("WWW-Authenticate", "Bearer"),))

    def _body(self, reader: Reader, request: Request, held: Held) -> bytes:
        limits = self._listener.limits
        if request.length == 0:
            return b""
        if request.length is not None and request.length > limits.body_bytes:
            raise HttpError(413, f"The body has {request.length} bytes, at most {limits.body_bytes} are allowed.")
        if request.headers.get("expect", "").lower() == "100-continue":
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        reader.allow(limits.body_seconds)
        return read_body(reader, request, limits.body_bytes, held.take)

    def _refuse(self, error: HttpError, reader: Reader) -> None:
        """Sends an error and ends the connection so that the client can still read it."""
        if error.status != 401:
            self._listener.metrics.refused("REST", _REASONS.get(error.status, "other"))
        reply = Reply(error.status, json_error(error.message), headers=error.headers)
        with contextlib.suppress(OSError, ValueError):
            self._send(encode(reply, True))
            # A close with unread bytes makes TCP reset the connection, and the client loses the answer.
            self._socket.shutdown(socket.SHUT_WR)
            reader.drain(_LINGER_BYTES, _LINGER_SECONDS)

    def _send(self, data: bytes) -> None:
        end = time.monotonic() + self._listener.limits.body_seconds
        view = memoryview(data)
        while view:
            left = end - time.monotonic()
            if left <= 0:
                raise OSError("the client does not read")
            self._socket.settimeout(left)
            view = view[self._socket.send(view) :]
