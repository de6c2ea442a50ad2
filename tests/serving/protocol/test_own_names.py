"""Who may ask: under which name on loopback, and who may change the models."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tfrec.serving.server import frontends
from tfrec.serving.server.frontends import FrontendOptions
from tfrec.serving.server.protocol.stubs import model_management_pb2, model_service_pb2_grpc
from tfrec.serving.server.security.hosts import OwnNames, host_of, is_loopback
from tfrec.serving.server.security.tokens import TokenFile
from tfrec.serving.server.server import ServerOptions


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("[::1]", True), ("localhost", True),
        ("Shop.LocalHost.", True), ("0.0.0.0", False), ("", False), ("::", False), ("10.0.0.1", False),
        ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("::ffff:10.0.0.1", False),
    ],
)  # fmt: skip
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_header_gives_its_host() -> None:
    assert [host_of(text) for text in ("a:1", "A", "[::1]:80", "[::1]", " b: ", "::1", "")] == [
        "a", "a", "::1", "::1", "b", ":", "",
    ]  # fmt: skip
    assert OwnNames("0.0.0.0").allow("anything") and OwnNames("127.0.0.1").allow(None)


def _status(port: int, request: str) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request.encode())
        return int(client.recv(4096).split()[1])


@pytest.mark.parametrize("path", ["/v1/models/shop", "/monitoring/prometheus/metrics", "/nothing"])
def test_loopback_answers_under_its_own_name_only(full_server: Any, path: str) -> None:
    port = full_server.rest_port

    def status(host: str, target: str = path) -> int:
        return _status(port, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")

    right = 404 if path == "/nothing" else 200
    for host in ("127.0.0.1", f"localhost:{port}", "LOCALHOST", f"[::1]:{port}", "127.0.0.1:1"):
        assert status(host) == right
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "192.168.0.1", "", "["):
        assert status(host) == 403
    assert status("127.0.0.1", f"http://evil.example{path}") == 403
    assert _status(port, f"GET {path} HTTP/1.0\r\n\r\n") == right
    assert (
        _status(port, "POST /v1/models/shop:predict HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n") == 403
    )


@pytest.fixture
def reload(full_server: Any) -> Any:
    """reload(host, options) -> code and message of a reload that changes nothing, at a port opened so."""
    opened: list[Any] = []

    def ask(host: str, token: str = "", **options: Any) -> tuple[str, str]:
        opened.append(frontends.start(full_server.core, host, 0, ServerOptions(workers=4), FrontendOptions(**options)))
        request = model_management_pb2.ReloadConfigRequest()
        request.config.model_config_list.config.add(name="other", base_path="/nowhere", model_platform="tensorflow")
        metadata = [("authorization", f"Bearer {token}")] if token else []
        with grpc.insecure_channel(f"127.0.0.1:{opened[-1].port}") as channel:
            try:
                model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(
                    request, timeout=20, metadata=metadata
                )
            except grpc.RpcError as error:
                return error.code().name, error.details()
        return "OK", ""

    yield ask
    for ports in opened:
        ports.stop(0)


def test_reloads_by_anyone_are_refused(reload: Callable[..., Any], tmp_path: Any, caplog: Any) -> None:
    (tmp_path / "tokens").write_text("a-token-of-the-operator")
    code, message = reload("0.0.0.0")
    assert code == "PERMISSION_DENIED" and message.startswith("Reloads are refused, because anyone who reaches")
    # Whoever may ask comes as far as the check of the folder.
    inside = "base_path outside the folders"
    assert inside in reload("127.0.0.1")[1] and "ANYONE" not in caplog.text
    assert inside in reload("0.0.0.0", "a-token-of-the-operator", tokens=TokenFile(tmp_path / "tokens"))[1]
    assert inside in reload("0.0.0.0", reload_by_anyone=True)[1]
    assert "ANYONE WHO REACHES 0.0.0.0 CAN CHANGE THE MODELS" in caplog.text
