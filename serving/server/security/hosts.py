"""Under which names a server is asked, and whether it can be reached from another machine at all.

A web page may point a name of its own at 127.0.0.1 and so make the visitor's browser ask what only listens there (DNS
rebinding). The request then carries the page's name in its Host header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_KEPT = 64  # headers whose answer is remembered


def is_loopback(host: str) -> bool:
    """Whether a server that listens on this host can be reached from its own machine only."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:  # a name, or "" for all interfaces
        return False


def host_of(header: str) -> str:
    """The host in the value of a Host header, without its port."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.rpartition(":")
    return host if colon and (port.isdigit() or not port) else text


class OwnNames:
    """The names under which a port may be asked: all of them, unless it listens on loopback.

    Args:
        host: the interface.
        further: names besides, such as that of a proxy in front.
    """

    def __init__(self, host: str, further: Iterable[str] = ()) -> None:
        self._open = not is_loopback(host)
        self._names = {host.strip("[]").lower(), *(name.lower() for name in further)}
        self._known: set[str] = set()

    def allow(self, header: str | None) -> bool:
        """Whether a request with this Host header is answered; one without it comes from no browser."""
        if self._open or header is None or header in self._known:
            return True
        host = host_of(header)
        allowed = host in self._names or is_loopback(host)
        if allowed and len(self._known) < _KEPT:
            self._known.add(header)
        return allowed
