"""Reading an HTTP/1.1 request from a socket, and what a reply is made of."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tfrec.serving.server.rest.reader import HttpError, Reader

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e]*)?\Z")
_SINGLE = (b"content-length", b"transfer-encoding", b"host", b"authorization", b"content-encoding", b"expect")
_MAX_HEADERS = 100
_UNPACKED_PIECE = 256 << 10


@dataclass(frozen=True)
class Request:
    """The head of a request.

    Attributes:
        method: GET, POST, ...
        path: without query and fragment, still percent-encoded.
        headers: values by lower-case name; of repeated ones the values joined with ", ".
        host: host and port that are asked, None where an old client does not say.
        length: bytes of the body; None when it comes in chunks.
        keep_alive: whether the client wants to send more on this connection.
    """

    method: str
    path: str
    headers: dict[str, str]
    host: str | None
    length: int | None
    keep_alive: bool


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
    headers: tuple[tuple[str, str], ...] = field(default_factory=tuple)


def json_error(message: str) -> bytes:
    """An error as TF Serving's REST API tells it."""
    return json.dumps({"error": message}, ensure_ascii=False, indent=4).encode("utf-8", "replace")


def read_head(reader: Reader, limit: int) -> Request:
    """Reads the request line and the headers.

    Raises:
        HttpError: the head is not HTTP/1.x, too long, or says two different things about the body.
    """
    first = reader.line(limit)
    if not first:  # one empty line before a request is allowed
        first = reader.line(limit)
    found = _REQUEST_LINE.match(first)
    if found is None:
        raise HttpError(400, "The request line is not HTTP.")
    if found[3] != b"1":
        raise HttpError(505, "This server speaks HTTP/1.1.")
    headers: dict[bytes, bytes] = {}
    left = limit - len(first)
    for _ in range(_MAX_HEADERS + 1):
        line = reader.line(left)
        if not line:
            break
        left -= len(line)
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not _NAME.match(name) or not _VALUE.match(value):
            raise HttpError(400, "A header line is not HTTP.")
        name = name.lower()
        if name in headers and name in _SINGLE:
            raise HttpError(400, f"The header {name.decode('latin-1')} is given twice.")
        headers[name] = headers[name] + b", " + value if name in headers else value
    else:
        raise HttpError(431, "The request has too many headers.")
    return _checked(found, headers)


def _checked(found: re.Match[bytes], headers: dict[bytes, bytes]) -> Request:
    is_new = found[4] != b"0"
    if is_new and b"host" not in headers:
        raise HttpError(400, "The header host is missing.")
    coding = headers.get(b"transfer-encoding")
    length: int | None = 0
    if coding is not None:
        if b"content-length" in headers:
            raise HttpError(400, "A request has either a content-length or a transfer-encoding.")
        if coding.lower() != b"chunked" or not is_new:
            raise HttpError(501, "The only transfer-encoding that is understood is chunked.")
        length = None
    elif b"content-length" in headers:
        digits = headers[b"content-length"]
        if not digits.isdigit() or len(digits) > 18:
            raise HttpError(400, "The content-length is not a number.")
        length = int(digits)
    if headers.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise HttpError(400, "The only expectation that is understood is 100-continue.")
    target = found[2].decode("ascii")
    told = {name.decode("ascii"): value.decode("latin-1") for name, value in headers.items()}
    host = told.get("host")
    if target[:7].lower() == "http://" or target[:8].lower() == "https://":
        host, _, path = target.split("://", 1)[1].partition("/")
        target = "/" + path
    if not target.startswith("/"):
        raise HttpError(400, "The request's target is not a path.")
    connection = headers.get(b"connection", b"").lower()
    keep_alive = b"close" not in connection if is_new else b"keep-alive" in connection
    path = target.partition("?")[0].partition("#")[0]
    return Request(found[1].decode("ascii"), path, told, host, length, keep_alive)


def read_body(reader: Reader, request: Request, limit: int, take: Callable[[int], None]) -> bytes:
    """Reads and unpacks the body that a head announces.

    Args:
        reader: the connection, behind the head.
        request: the head.
        limit: bytes of the body, packed and unpacked.
        take: told how many bytes more are held, piece by piece as they arrive and are unpacked; may raise to stop.

    Raises:
        HttpError: it is larger than `limit`, badly chunked, or packed in an unknown way.
    """
    body = bytearray()
    for piece in _chunks(reader, limit) if request.length is None else _pieces(reader, request.length):
        take(len(piece))
        body += piece
    coding = request.headers.get("content-encoding", "identity").lower()
    if coding == "identity":
        return bytes(body)
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise HttpError(415, "The only content-encodings that are understood are gzip and deflate.")
    return _unpacked(bytes(body), limit, take)


def _unpacked(packed: bytes, limit: int, take: Callable[[int], None]) -> bytes:
    unpacker = zlib.decompressobj(47)  # gzip or zlib, by their first bytes
    body = bytearray()
    while not unpacker.eof:
        try:
            piece = unpacker.decompress(packed, _UNPACKED_PIECE)
        except zlib.error:
            raise HttpError(400, "The body cannot be unpacked.") from None
        if len(body) + len(piece) > limit:
            raise HttpError(413, f"The unpacked body has more than {limit} bytes.")
        take(len(piece))
        body += piece
        packed = unpacker.unconsumed_tail
        if not packed and not piece:
            raise HttpError(400, "The packed body is not complete.")
    return bytes(body)


def _pieces(reader: Reader, count: int) -> Iterator[bytes]:
    while count:
        piece = reader.some(count)
        count -= len(piece)
        yield piece


def _chunks(reader: Reader, limit: int) -> Iterator[bytes]:
    total = 0
    while True:
        found = _CHUNK_SIZE.match(reader.line(256))
        if found is None:
            raise HttpError(400, "A chunk's size is not a number.")
        size = int(found[1], 16)
        total += size
        if total > limit:
            raise HttpError(413, f"The body has more than {limit} bytes.")
        if size == 0:
            break
        yield from _pieces(reader, size)
        if reader.line(256):
            raise HttpError(400, "A chunk is longer than its size.")
    for _ in range(_MAX_HEADERS):  # trailers, which nobody needs
        if not reader.line(8192):
            return
    raise HttpError(431, "The request has too many trailers.")
