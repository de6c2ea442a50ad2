"""Sends hostile requests to a running server and tells how each one ended."""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import grpc

TYPED = {
    "OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "OUT_OF_RANGE",
    "UNAUTHENTICATED", "DEADLINE_EXCEEDED", "PERMISSION_DENIED",
}  # fmt: skip
HTTP_TYPED = {200, 400, 401, 404, 405, 408, 413, 415, 429, 431, 501, 504}
# What is no protobuf at all, and a signature that TF Serving calls internal too.
_INTERNAL = re.compile("Exception deserializing request|Expected prediction signature method_name|Failed to parse")


def send_all(hostile: Iterable[Any], channel: grpc.Channel, rest_port: int, token: str = "") -> Counter[str]:
    """Sends the requests one after the other.

    Returns:
        How many ended in which way.

    Raises:
        AssertionError: an answer that is not typed; the message holds the request.
    """
    ended: Counter[str] = Counter()
    for one in hostile:
        how = _by_grpc(channel, one, token) if one.kind == "grpc" else _by_rest(rest_port, one, token)
        ended[f"{one.kind} {how}"] += 1
    return ended


def _by_grpc(channel: grpc.Channel, one: Any, token: str) -> str:
    call = channel.unary_unary(one.place)  # bytes in, bytes out
    try:
        call(one.payload, timeout=20, metadata=[("authorization", f"Bearer {token}")] if token else None)
    except grpc.RpcError as error:
        code, details = str(error.code().name), error.details() or ""
        assert code in TYPED or (code == "INTERNAL" and _INTERNAL.search(details)), (one, code, details)
        assert "Traceback" not in details and "Graph execution error" not in details, (one, details)
        return code
    return "OK"


def _by_rest(port: int, one: Any, token: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(one.method, one.place, skip_accept_encoding=True)
        for name, value in one.headers:
            connection.putheader(name, value.encode("latin-1"))
        if token:
            connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Length", str(len(one.payload)))
        connection.endheaders(one.payload)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    assert answer.status in HTTP_TYPED, (one, answer.status, body[:500])
    if answer.status != 200:
        assert isinstance(json.loads(body)["error"], str) and b"Traceback" not in body, (one, body)
    return str(answer.status)
