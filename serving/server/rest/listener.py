"""The REST port: accepts connections, bounds how many there are, and lets running requests finish at the end.

One thread for each connection. Most of them wait, for their client or for a batch; what runs in the model is bounded
elsewhere. Nothing here waits for a client without a limit.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

from tfrec.errors import ServingError
from tfrec.serving.server.metrics.counters import NULL, Metrics
from tfrec.serving.server.rest.connection import BUSY, Connection
from tfrec.serving.server.rest.limits import Budget, Limits
from tfrec.serving.server.security.hosts import OwnNames
from tfrec.serving.server.security.tokens import TokenFile

logger = logging.getLogger("tfrec.serving.server")


class RestListener:
    """Listens on a port and answers with an API.

    Args:
        api: `respond(method, target, headers, body) -> Reply`, called from several threads.
        tokens: the bearer tokens; None lets everybody in.
        context: TLS settings; None speaks plain text.
        metrics: told who is turned away.
        limits: what is allowed.
        hosts: names under which the port may be asked besides its own; they count on loopback only.
    """

    def __init__(
        self, api: Any, tokens: TokenFile | None = None, context: ssl.SSLContext | None = None,
        metrics: Metrics = NULL, limits: Limits | None = None, hosts: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.api, self.tokens, self.metrics = api, tokens, metrics
        self.limits = limits or Limits()
        self.port = 0
        self.names = OwnNames("", hosts)  # those of the interface, once it is known
        self._hosts = tuple(hosts)
        self.stopping = False
        self.body_budget = Budget(self.limits.total_body_bytes)
        self._context = context
        self._socket: socket.socket | None = None
        self._open: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, host: str, port: int) -> int:
        """Opens the port; 0 takes a free one.

        Raises:
            ServingError: the port is taken or the host is not of this machine.
        """
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listening = socket.socket(family, kind, protocol)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(256)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ServingError(
                f"The REST port {port} on {host} cannot be opened ({reason}): choose another with --rest_api_port."
            ) from error
        self.names = OwnNames(host, self._hosts)
        self._socket, self.port = listening, listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="rest-accept", daemon=True)
        self._thread.start()
        return self.port

    def stop(self, grace_seconds: float) -> None:
        """Takes no new connection, closes the idle ones, and waits for running requests up to the grace time."""
        self.stopping = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread, which closing alone does not
            self._socket.close()
        if self._thread is not None:
            self._thread.join(1)
        end = time.monotonic() + grace_seconds
        while True:
            with self._lock:
                connections = dict(self._open)
            late = time.monotonic() >= end
            for connection in connections:
                if late or not connection.busy:
                    connection.abandon()
            if not connections or late:
                break
            time.sleep(0.01)
        end = time.monotonic() + 1  # for all of them together: what still runs in the model cannot be stopped
        for thread in connections.values():
            thread.join(max(end - time.monotonic(), 0))

    def closed(self, connection: Connection) -> None:
        """A connection has ended."""
        with self._lock:
            self._open.pop(connection, None)

    def _accept(self) -> None:
        assert self._socket is not None
        while not self.stopping:
            try:
                client, _ = self._socket.accept()
            except OSError:
                if self.stopping:
                    return
                time.sleep(0.05)  # out of file descriptors: wait until some are free again
                continue
            with self._lock:
                full = len(self._open) >= self.limits.connections
                if not full:
                    connection = Connection(client, self, self._context)
                    thread = threading.Thread(target=connection.serve, name="rest", daemon=True)
                    self._open[connection] = thread
            if full:
                self.metrics.refused("REST", "connections")
                _turn_away(client)
                continue
            try:
                thread.start()
            except RuntimeError:  # no more threads
                self.closed(connection)
                _turn_away(client)


def _turn_away(client: socket.socket) -> None:
    """Says 503 without waiting for anything, and closes."""
    with contextlib.suppress(OSError):
        client.setblocking(False)
        client.send(BUSY)
        client.shutdown(socket.SHUT_WR)
        client.recv(65536)  # what has come already: unread, it would make TCP throw the answer away
    client.close()
