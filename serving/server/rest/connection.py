"""One HTTP/1.1 connection: takes requests within limits of size and time, and sends the replies (RFC 9112).

The bytes of requests are read by httptools. No kept server fits around it: waitress speaks no TLS, cheroot and uvicorn
wait without end for a client that sends a byte now and then, h11 costs four times the processor time of a whole answer.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from typing import Any, Protocol

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.rest.limits import Budget, Limits
from tfrec.serving.server.rest.message import GO_ON, HttpError, Request, reason
from tfrec.serving.server.rest.parser import RequestParser, State
from tfrec.serving.server.security.hosts import OwnNames
from tfrec.serving.server.security.tokens import TokenFile

logger = logging.getLogger("tfrec.serving.server")
_RECEIVE = 64 << 10
_LINGER_BYTES, _LINGER_SECONDS = 1 << 20, 1.0


class Port(Protocol):
    """What a connection needs of the port it came by; see RestListener."""

    api: Any
    tokens: TokenFile | None
    metrics: Metrics
    limits: Limits
    names: OwnNames
    body_budget: Budget
    stopping: bool


class Connection:
    """Serves one client until it leaves, misbehaves, or the server stops.

    Args:
        client: the accepted socket.
        port: the port it came by.
        context: TLS settings, None for plain text.
    """

    def __init__(self, client: socket.socket, port: Port, context: ssl.SSLContext | None) -> None:
        self.busy = False
        self._socket, self._port, self._context = client, port, context
        self._parser = RequestParser(port.limits, port.body_budget, self._admit)

    def serve(self) -> None:
        """Answers requests, one after the other. Runs in a thread of its own and never raises."""
        try:
            with contextlib.suppress(OSError, ssl.SSLError, ValueError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is not None:
                    self._socket.settimeout(self._port.limits.header_seconds)
                    self._socket = self._context.wrap_socket(self._socket, server_side=True)
                while not self._port.stopping and self._exchange():
                    pass
        except Exception as error:  # a fault of this file: the server has to live on
            logger.error("A REST connection failed: %s", type(error).__name__)
        finally:
            self._parser.release()
            with contextlib.suppress(OSError):
                self._socket.close()

    def abandon(self) -> None:
        """Ends the connection from another thread."""
        with contextlib.suppress(OSError):
            # Not the method of an SSLSocket: that one drops the TLS state under the feet of the reading thread.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _exchange(self) -> bool:
        """Reads one request and answers it; False ends the connection."""
        parser = self._parser
        try:
            if not parser.ready and parser.error is None and not self._read():
                return False
            if not parser.ready and parser.error is not None:
                self._refuse(parser.error)
                return False
            self.busy = True
            request, held = parser.ready.popleft()
            try:
                reply = self._port.api.respond(request)
            finally:
                held.release()
            keep = request.keep_alive and not self._port.stopping
            self._send(reply.encoded(not keep, request.method != "HEAD"))
            return keep
        finally:
            self.busy = False

    def _read(self) -> bool:
        """Reads until a request is complete or wrong; False when the client leaves or stays silent."""
        parser, limits = self._parser, self._port.limits
        seconds = {State.IDLE: limits.idle_seconds, State.HEAD: limits.header_seconds, State.BODY: limits.body_seconds}
        state, end = parser.state, time.monotonic() + seconds[parser.state]
        while not parser.ready and parser.error is None:
            try:
                data = self._received(end)
            except TimeoutError:
                if state is State.IDLE:
                    return False
                parser.error = HttpError(408, "The request did not arrive in time.")
                break
            if not data:
                return False
            self.busy = True
            parser.feed(data)
            if parser.state is not state:  # the time counts for the whole head or body, whatever the packets' sizes
                state, end = parser.state, time.monotonic() + seconds[parser.state]
            if parser.asks and not parser.ready and parser.error is None:
                parser.asks = False
                self._send(GO_ON)
        return True

    def _received(self, end: float) -> bytes:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv(_RECEIVE)

    def _admit(self, request: Request) -> None:
        """Looks at a head before its body is read."""
        port = self._port
        if not port.names.allow(request.host):
            raise HttpError(
                403, "This port answers under its own address only: a model server takes more by --rest_allowed_hosts."
            )
        if port.tokens is not None and not port.tokens.allows(request.headers.get("authorization")):
            port.metrics.refused("REST", "token")
            raise HttpError(401, "A valid bearer token is needed.", (("WWW-Authenticate", "Bearer"),))

    def _refuse(self, error: HttpError) -> None:
        """Sends an error and ends the connection so that the client can still read it."""
        if error.status != 401:
            self._port.metrics.refused("REST", reason(error.status))
        with contextlib.suppress(OSError, ValueError):
            self._send(error.reply().encoded(close=True))
            # A close with unread bytes makes TCP reset the connection, and the client loses the answer.
            self._socket.shutdown(socket.SHUT_WR)
            end, unread = time.monotonic() + _LINGER_SECONDS, _LINGER_BYTES
            while unread > 0 and (data := self._received(end)):
                unread -= len(data)

    def _send(self, data: bytes) -> None:
        end, view = time.monotonic() + self._port.limits.body_seconds, memoryview(data)
        while view:  # not sendall: over TLS its timeout begins anew with each piece
            self._socket.settimeout(max(end - time.monotonic(), 1e-3))
            view = view[self._socket.send(view) :]
