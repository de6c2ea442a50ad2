"""Reading from a socket with limits of time and size, and the error that ends a request early."""

from __future__ import annotations

import socket
import time

_RECEIVE = 64 << 10


class HttpError(Exception):
    """A request that is turned away before it reaches the API; the connection ends with it."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class Reader:
    """Reads from a socket up to a point in time, whatever tricks the client does with the sizes of its packets."""

    def __init__(self, source: socket.socket) -> None:
        self._socket = source
        self._buffer = bytearray()
        self._end = 0.0

    def allow(self, seconds: float) -> None:
        """From now on reading may take this long in total; afterwards it raises TimeoutError."""
        self._end = time.monotonic() + seconds

    def wait(self) -> bool:
        """Waits for the first byte; False when the client leaves or stays silent."""
        try:
            return bool(self._buffer) or self._more()
        except OSError:
            return False

    def line(self, limit: int) -> bytes:
        """A line without its end of CR LF (or LF alone), of at most `limit` bytes.

        Raises:
            HttpError: 431 for a longer line.
            ConnectionError: the client left.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise HttpError(431, "The request's head is too long.")
            if not self._more():
                raise ConnectionError
        if end > limit:
            raise HttpError(431, "The request's head is too long.")
        taken = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return taken[:-1] if taken.endswith(b"\r") else taken

    def some(self, count: int) -> bytes:
        """What has arrived by now: at least one byte, and not more than so many.

        Raises:
            ConnectionError: the client left before.
        """
        if not self._buffer and not self._more():
            raise ConnectionError
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def drain(self, most: int, seconds: float) -> None:
        """Throws away what the client still sends, up to a limit."""
        self.allow(seconds)
        while most > 0 and self._more():
            most -= len(self._buffer)
            self._buffer.clear()

    def _more(self) -> bool:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        received = self._socket.recv(_RECEIVE)
        self._buffer += received
        return bool(received)
