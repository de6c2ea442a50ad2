"""What the REST port allows, and the bytes that all its requests may hold."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tfrec.serving.server.rest.message import HttpError


@dataclass(frozen=True)
class Limits:
    """What the REST port allows.

    Attributes:
        connections: open at once; further ones are told 503.
        header_bytes: of the request line and all headers.
        body_bytes: of one request's body, unpacked.
        total_body_bytes: of what has arrived of all bodies, packed and unpacked; who goes beyond is told 429.
        free_body_bytes: of each body that count towards no total: small requests pass whatever large ones come.
        idle_seconds: a connection without a request is closed.
        header_seconds: from the first byte of a request to the end of its headers, and for the TLS handshake.
        body_seconds: for a body, and for sending an answer.
    """

    connections: int = 512
    header_bytes: int = 32 << 10
    body_bytes: int = 16 << 20
    total_body_bytes: int = 128 << 20
    free_body_bytes: int = 64 << 10
    idle_seconds: float = 60.0
    header_seconds: float = 10.0
    body_seconds: float = 30.0


class Budget:
    """A number of bytes that may be held at once."""

    def __init__(self, total: int) -> None:
        self._left = total
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Takes some, or tells that there are not as many left."""
        with self._lock:
            if count > self._left:
                return False
            self._left -= count
            return True

    def give(self, count: int) -> None:
        """Gives them back."""
        with self._lock:
            self._left += count


class Held:
    """What one request holds of a budget: what has arrived of it, and not what it announces.

    Args:
        budget: of all requests.
        free: bytes of this request that do not count.
    """

    def __init__(self, budget: Budget, free: int) -> None:
        self._budget, self._free = budget, free
        self._taken = 0

    def take(self, count: int) -> None:
        """So many bytes more are held.

        Raises:
            HttpError: 429, there are not as many left.
        """
        uncounted = min(count, self._free)
        self._free -= uncounted
        count -= uncounted
        if count and not self._budget.take(count):
            raise HttpError(429, "Too many bytes of requests are being read: try again.", (("Retry-After", "1"),))
        self._taken += count

    def release(self) -> None:
        """The request is over."""
        self._budget.give(self._taken)
        self._taken = 0
