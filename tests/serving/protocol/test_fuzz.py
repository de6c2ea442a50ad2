"""A few hundred hostile requests: a typed answer each, the server lives, and nothing leaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.serving.protocol.fuzzing import send_all
from tests.serving.protocol.hostile import requests
from tfrec.serving.client import Client


def test_every_hostile_request_gets_a_typed_answer(full_server: Any, stubs: Any, open_files: Callable[[], int]) -> None:
    send_all(requests(1, 40), stubs.channel, full_server.rest_port)
    threads, files = threading.active_count(), open_files()
    ended = send_all(requests(2, 400), stubs.channel, full_server.rest_port)
    assert sum(ended.values()) == 400 and len(ended) > 6, ended
    # Threads of gRPC's pool may still be added, up to its size; sockets of the last requests may still close.
    assert threading.active_count() <= threads + 8 and open_files() <= files + 8
    with Client(full_server.address, "shop", timeout=20) as client:
        assert client.search("red lamp", 1)[0][0].item_id == "L-1"
        assert {state.state for state in client.status()} == {"AVAILABLE"}
