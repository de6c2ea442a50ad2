"""How to reach a server: addresses, TLS, bearer tokens, and the options of a gRPC channel."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from tfrec.serving.client.checks import refused
from tfrec.serving.client.errors import ClientError

_CONNECT_SECONDS = 3  # gRPC's own 20 are longer than a call waits, and so long no other target would be asked
_PING_SECONDS, _PONG_SECONDS = 30, 10
_SCHEMES = ("dns", "unix", "unix-abstract", "ipv4", "ipv6", "vsock", "xds", "passthrough")  # gRPC's own resolvers


@dataclass(frozen=True)
class Tls:
    """An encrypted connection to a server whose certificate is checked.

    Attributes:
        ca: PEM file of the authorities that are trusted; None takes those that gRPC ships.
        certificate: PEM file of this client's own certificate chain, for servers that ask for one (mutual TLS).
        key: PEM file of the certificate's private key.
        server_name: name in the server's certificate, where it is not the host of the target.
    """

    ca: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files.

        Raises:
            ClientError: a file cannot be read, or only one of certificate and key is given.
        """
        if (self.certificate is None) != (self.key is None):
            raise ClientError("INVALID_ARGUMENT", "Mutual TLS needs both a certificate and its key: give both files.")
        return grpc.ssl_channel_credentials(_pem(self.ca), _pem(self.key), _pem(self.certificate))


def _pem(path: str | Path | None) -> bytes | None:
    if path is None:
        return None
    content = _read(path)
    if b"-----BEGIN " not in content:
        raise ClientError("INVALID_ARGUMENT", f"The file {path} is not in PEM format: give a file with a BEGIN line.")
    return content


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ClientError("INVALID_ARGUMENT", f"The file {path} cannot be read ({reason}): check its path.") from None


class Token:
    """A bearer token, given directly or in a file that may be replaced while the client runs.

    Args:
        text: the token itself, or None.
        file: file that holds it, or None; read again whenever the file has changed.
    """

    def __init__(self, text: str | None, file: str | Path | None) -> None:
        if text is not None and file is not None:
            raise ClientError("INVALID_ARGUMENT", "Give the token or the file with the token, not both.")
        self._file = file
        self._seen: tuple[int, ...] = ()
        self._metadata = None if text is None else _header(text)
        self.metadata()

    def metadata(self) -> tuple[tuple[str, str], ...] | None:
        """What goes with each call; None without a token.

        Raises:
            ClientError: the file cannot be read for the first time, or holds no token.
        """
        if self._file is not None:
            seen: tuple[int, ...] = ()  # between two versions of the file: the last token may still do
            with contextlib.suppress(OSError):
                status = os.stat(self._file)
                seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if not self._seen or (seen and seen != self._seen):
                self._metadata = _header(_read(self._file).decode("utf-8", "replace"))
                self._seen = seen
        return self._metadata


def _header(text: str) -> tuple[tuple[str, str], ...]:
    token = text.strip()
    if not token or not all("!" <= letter <= "~" for letter in token):
        raise ClientError("INVALID_ARGUMENT", "A token is one word of visible ASCII letters: check where it is from.")
    return (("authorization", f"Bearer {token}"),)


def check_targets(targets: str | Sequence[str]) -> list[str]:
    """The addresses as a list.

    Raises:
        ClientError: there is none, or one does not look like host:port.
    """
    names = [targets] if isinstance(targets, str) or not isinstance(targets, Iterable) else list(targets)
    if not names:
        raise ClientError("INVALID_ARGUMENT", "Give at least one target, such as 127.0.0.1:8500.")
    for name in names:
        _check_target(name)
    return names


def _check_target(name: Any) -> None:
    wrong = f"The target must look like host:port, not {name!r}"
    if not isinstance(name, str):
        raise refused(f"{wrong}.")
    scheme, colon, rest = name.partition(":")
    if scheme in _SCHEMES and colon and not rest.isdigit():
        return
    if rest.startswith("//"):
        raise refused(f"{wrong}: gRPC's port has no {scheme}:// before it, and REST has another port.")
    host, _, port = name.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 1 << 16 or "/" in host:
        raise refused(f"{wrong}.")
    if ":" in host and not host.startswith("["):
        raise refused(f"{wrong}: the address of IPv6 stands in brackets, as in [::1]:8500.")


def is_loopback(target: str) -> bool:
    """Whether calls to a target never leave this machine."""
    host = target.rpartition(":")[0].strip("[]")
    if target.startswith("unix:") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False


def channel_options(target: str, max_message_bytes: int, tls: Tls | None) -> list[tuple[str, Any]]:
    """Options of a gRPC channel to one target."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.enable_retries", 0),  # retried here, within one deadline
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.min_reconnect_backoff_ms", 1000 * _CONNECT_SECONDS),  # in fact the time to connect
        # A machine that vanished, or a firewall that forgot an idle connection, says nothing; without pings calls would
        # fail by their deadlines for a quarter of an hour. Only while calls wait, so that servers take no offence.
        ("grpc.keepalive_time_ms", 1000 * _PING_SECONDS),
        ("grpc.keepalive_timeout_ms", 1000 * _PONG_SECONDS),
        ("grpc.http2.ping_timeout_ms", 1000 * _PONG_SECONDS),
    ]
    if is_loopback(target):
        options.append(("grpc.enable_http_proxy", 0))  # a company's proxy never stands before one's own machine
    if target.startswith("dns:"):
        options.append(("grpc.lb_policy_name", "round_robin"))  # a name of several servers: all of them, not the first
    if tls is not None and tls.server_name:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    return options
