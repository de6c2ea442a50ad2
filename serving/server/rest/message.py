"""What a request and a reply of the HTTP port are made of, and the error that ends a request early."""

from __future__ import annotations

import json
from dataclasses import dataclass

_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 413: "Content Too Large", 415: "Unsupported Media Type",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 499: "Client Closed Request",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 505: "HTTP Version Not Supported",
}  # fmt: skip # Python's own phrases differ between its versions
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def reason(status: int) -> str:
    """The phrase that belongs to a status code."""
    return _REASONS.get(status, "Unknown")


class HttpError(Exception):
    """A request that is turned away before it reaches the API; the connection ends with it."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers

    def reply(self) -> Reply:
        """What the client is told."""
        return Reply(self.status, json_error(self.message), headers=self.headers)


@dataclass(slots=True)
class Request:
    """One request.

    Attributes:
        method: GET, POST, ...
        path: without query and fragment, still percent-encoded.
        query: what stands between "?" and "#", still percent-encoded.
        headers: values by lower-case name; of repeated ones the values joined with ", ".
        host: host and port that are asked, None where an old client does not say.
        body: the content, unpacked.
        keep_alive: whether the client wants to send more on this connection.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    host: str | None
    body: bytes = b""
    keep_alive: bool = False


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        status: HTTP status code.
        body: the content.
        content_type: its type.
        headers: further headers.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self, close: bool, body: bool = True) -> bytes:
        """The reply as it goes over the wire.

        Args:
            close: whether the connection ends with it.
            body: False for an answer to HEAD, which tells the length only.
        """
        lines = [
            f"HTTP/1.1 {self.status} {reason(self.status)}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "X-Content-Type-Options: nosniff",
            *(f"{name}: {value}" for name, value in self.headers),
            *(["Connection: close"] if close else []),
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (self.body if body else b"")


def json_error(message: str) -> bytes:
    """An error as TF Serving's REST API tells it."""
    return json.dumps({"error": message}, ensure_ascii=False, indent=4).encode("utf-8", "replace")
