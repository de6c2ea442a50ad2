"""The HTTP port: accepts connections, bounds how many there are, and lets running requests finish at the end.

One thread for each connection (socketserver's). Most of them wait, for their client or for a batch; what runs in the
model is bounded elsewhere. Nothing here waits for a client without a limit.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

from tfrec.errors import ServingError
from tfrec.serving.server.metrics.counters import NULL, Metrics
from tfrec.serving.server.rest.connection import Connection
from tfrec.serving.server.rest.limits import Budget, Limits
from tfrec.serving.server.rest.message import HttpError
from tfrec.serving.server.security.hosts import OwnNames
from tfrec.serving.server.security.tokens import TokenFile

_BUSY = HttpError(503, "Too many connections are open: try again.", (("Retry-After", "1"),)).reply().encoded(close=True)


class RestListener:
    """Listens on a port and answers with an API.

    Args:
        api: `respond(request) -> Reply`, called from several threads.
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
        self.api, self.tokens, self.context, self.metrics = api, tokens, context, metrics
        self.limits = limits or Limits()
        self.port = 0
        self.names = OwnNames("", hosts)  # those of the interface, once it is known
        self._hosts = tuple(hosts)
        self.stopping = False
        self.body_budget = Budget(self.limits.total_body_bytes)
        self._server: _Server | None = None

    def start(self, host: str, port: int, flag: str = "--rest_api_port") -> int:
        """Opens the port; 0 takes a free one.

        Raises:
            ServingError: the port is taken or the host is not of this machine; `flag` is what to choose another with.
        """
        try:
            self._server = _Server(self, host, port)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ServingError(
                f"The port {port} on {host} cannot be opened ({reason}): choose another with {flag}."
            ) from error
        self.names = OwnNames(host, self._hosts)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="rest-accept", daemon=True).start()
        return self.port

    def stop(self, grace_seconds: float) -> None:
        """Takes no new connection, closes the idle ones, and waits for running requests up to the grace time."""
        self.stopping = True
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        end = time.monotonic() + grace_seconds
        while connections := list(self._server.open.values()):
            late = time.monotonic() - end
            for connection in connections:
                if late >= 0 or not connection.busy:
                    connection.abandon()
            if late > 1:  # what still runs in the model cannot be stopped
                break
            time.sleep(0.01)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, block_on_close, request_queue_size = True, True, False, 256

    def __init__(self, listener: RestListener, host: str, port: int) -> None:
        self.open: dict[socket.socket, Connection] = {}
        self._listener = listener
        place: Any
        self.address_family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        super().__init__(place, socketserver.BaseRequestHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.05)  # out of file descriptors: wait until some are free again
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:
        if len(self.open) < self._listener.limits.connections:
            self.open[request] = Connection(request, self._listener, self._listener.context)
            return True
        self._listener.metrics.refused("REST", "connections")
        with contextlib.suppress(OSError):  # says 503 without waiting for anything
            request.setblocking(False)
            request.send(_BUSY)
            request.shutdown(socket.SHUT_WR)
            request.recv(65536)  # what has come already: unread, it would make TCP throw the answer away
        return False

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.open[request].serve()

    def shutdown_request(self, request: Any) -> None:
        self.open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that goes away is no event, and a thread that cannot be started closes its connection."""
