"""TLS, mutual TLS and tokens on both ports: who fits is let in, everybody else is turned away."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tfrec.errors import ServingError
from tfrec.serving.server import frontends
from tfrec.serving.server.configuration.config_files import read_tls_config
from tfrec.serving.server.frontends import FrontendOptions
from tfrec.serving.server.protocol.stubs import get_model_status_pb2, model_service_pb2_grpc
from tfrec.serving.server.security.tls import ssl_context
from tfrec.serving.server.security.tokens import TokenFile
from tfrec.serving.server.server import ServerOptions

OPTIONS = ServerOptions(workers=4, max_message_bytes=1 << 20)
TOKEN, OTHER = "first-token-of-the-shop", "second-token-of-the-shop"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, and a certificate of each for 127.0.0.1: good and bad."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates for the test are made with the program openssl")
    folder = tmp_path_factory.mktemp("papers")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")

    def run(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("good", "bad"):
        run(
            "req", "-x509", *key, "-days", "2", "-keyout", f"{name}-ca.key", "-out", f"{name}-ca.pem", "-subj", "/CN=ca"
        )
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key",
            "-set_serial", "7", "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    for verify in ("false", "true"):
        (folder / f"ssl-{verify}.txt").write_text(
            f'server_key: "good.key" server_cert: "good.pem" custom_ca: "good-ca.pem" client_verify: {verify}'
        )
    return folder


@pytest.fixture
def opened(full_server: Any) -> Iterator[Any]:
    """A function that opens further ports over the same models."""
    running: list[Any] = []

    def open_ports(**options: Any) -> Any:
        running.append(
            frontends.start(full_server.core, "127.0.0.1", 0, OPTIONS, FrontendOptions(rest_port=0, **options))
        )
        return running[-1]

    yield open_ports
    for ports in running:
        ports.stop(0.1)


def _by_grpc(port: int, credentials: Any = None, token: str = "") -> str:
    target = f"127.0.0.1:{port}"
    channel = grpc.insecure_channel(target) if credentials is None else grpc.secure_channel(target, credentials)
    with channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "shop"
        metadata = [("authorization", f"Bearer {token}")] if token else []
        try:
            model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, timeout=5, metadata=metadata)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def _by_rest(port: int, context: ssl.SSLContext | None = None, token: str = "") -> Any:
    connection = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        if context is None
        else http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    )
    try:
        connection.request("GET", "/v1/models/shop", headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def _credentials(papers: Path, authority: str, own: str = "") -> Any:
    read = [(papers / f"{own}.key").read_bytes(), (papers / f"{own}.pem").read_bytes()] if own else [None, None]
    return grpc.ssl_channel_credentials((papers / f"{authority}-ca.pem").read_bytes(), *read)


def _context(papers: Path, authority: str, own: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=papers / f"{authority}-ca.pem")
    if own:
        context.load_cert_chain(papers / f"{own}.pem", papers / f"{own}.key")
    return context


def test_tls(papers: Path, opened: Any) -> None:
    ports = opened(tls=read_tls_config(papers / "ssl-false.txt"))
    assert _by_grpc(ports.port, _credentials(papers, "good")) == "OK"
    assert _by_rest(ports.rest_port, _context(papers, "good")) == 200
    assert _by_grpc(ports.port, _credentials(papers, "bad")) == "UNAVAILABLE"
    assert "SSL" in _by_rest(ports.rest_port, _context(papers, "bad"))
    assert _by_grpc(ports.port) == "UNAVAILABLE"
    assert isinstance(_by_rest(ports.rest_port), str)
    old = _context(papers, "good")
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert isinstance(_by_rest(ports.rest_port, old), str)
    with socket.create_connection(("127.0.0.1", ports.rest_port)):  # one that says nothing holds nobody up
        assert _by_rest(ports.rest_port, _context(papers, "good")) == 200


def test_mutual_tls(papers: Path, opened: Any) -> None:
    ports = opened(tls=read_tls_config(papers / "ssl-true.txt"))
    assert _by_grpc(ports.port, _credentials(papers, "good", "good")) == "OK"
    assert _by_rest(ports.rest_port, _context(papers, "good", "good")) == 200
    for own in ("", "bad"):
        assert _by_grpc(ports.port, _credentials(papers, "good", own)) == "UNAVAILABLE"
        assert isinstance(_by_rest(ports.rest_port, _context(papers, "good", own)), str)


def test_a_key_that_does_not_fit_is_told_at_the_start(papers: Path, tmp_path: Path) -> None:
    file = papers / "wrong.txt"
    file.write_text('server_key: "bad.key" server_cert: "good.pem"')
    with pytest.raises(ServingError, match=r"wrong\.txt cannot be used"):
        ssl_context(read_tls_config(file))
    file.write_text('server_key: "-----BEGIN PRIVATE KEY-----" server_cert: "good.pem"')
    with pytest.raises(ServingError, match=r"wrong\.txt cannot be used"):
        ssl_context(read_tls_config(file))


def test_tokens_and_their_rotation(opened: Any, tmp_path: Path) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    file = tmp_path / "tokens"
    file.write_text(f"# of the web shop\n{TOKEN}  # until May\n\n{OTHER}\n")
    tokens = TokenFile(file)
    ports = opened(tokens=tokens)
    for token in (TOKEN, OTHER):
        assert (_by_grpc(ports.port, token=token), _by_rest(ports.rest_port, token=token)) == ("OK", 200)
    for token in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 20):
        if token.isascii():  # gRPC's metadata cannot even carry others
            assert _by_grpc(ports.port, token=token) == "UNAUTHENTICATED"
            assert _by_rest(ports.rest_port, token=token) == 401
        assert not tokens.allows(f"Bearer {token}")
    with grpc.insecure_channel(f"127.0.0.1:{ports.port}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert check.status == check.SERVING  # probes carry no token
    file.write_text(f"{OTHER}\na-third-token-of-the-shop\n")
    tokens._looked -= 10  # instead of waiting
    assert (_by_grpc(ports.port, token=TOKEN), _by_grpc(ports.port, token=OTHER)) == ("UNAUTHENTICATED", "OK")
    for broken in ("", "short\n"):
        file.write_text(broken)
        tokens._looked -= 10
        assert _by_rest(ports.rest_port, token=OTHER) == 200


@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, "cannot be read"), ("\n# none\n", "holds no token"), ("short\n", "Token 1 .* too short")],
)
def test_a_token_file_that_protects_nothing_is_refused(tmp_path: Path, text: str | None, problem: str) -> None:
    if text is not None:
        (tmp_path / "tokens").write_text(text)
    with pytest.raises(ServingError, match=problem):
        TokenFile(tmp_path / "tokens")


def test_a_comparison_takes_as_long_for_a_near_token_as_for_a_far_one(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("\n".join(f"token-number-{number:08d}" for number in range(200)))
    tokens = TokenFile(tmp_path / "tokens")

    def fastest(token: str) -> float:
        times = []
        for _ in range(60):
            started = time.perf_counter()
            tokens.allows(f"Bearer {token}")
            times.append(time.perf_counter() - started)
        return min(times)

    # All 200 hashes are always compared: the first and the last of the file cost the same.
    assert 0.5 < fastest("token-number-00000000") / fastest("token-number-00000199") < 2
