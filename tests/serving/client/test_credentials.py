"""TLS, mutual TLS and tokens, against a real gRPC server with real certificates."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from tfrec.serving.client import Client, ClientError, Tls


def _server_credentials(pair: tuple[Path, Path], client_authority: Path | None = None) -> Any:
    certificate, key = pair
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        None if client_authority is None else client_authority.read_bytes(),
        client_authority is not None,
    )


@pytest.fixture
def encrypted(scripted: Callable[..., Any], authorities: Any) -> Any:
    return scripted(credentials=_server_credentials(authorities[0].issue("server")))


@pytest.fixture
def mutual(scripted: Callable[..., Any], authorities: Any) -> Any:
    trusted, _ = authorities
    return scripted(credentials=_server_credentials(trusted.issue("server"), trusted.certificate))


def _refused(target: str, tls: Tls | None) -> ClientError:
    with Client(target, tls=tls, timeout=3, retries=0) as client, pytest.raises(ClientError) as failed:
        client.search("x")
    return failed.value


def test_a_trusted_server_answers(encrypted: Any, authorities: Any) -> None:
    with Client(encrypted.address, tls=Tls(authorities[0].certificate)) as client:
        assert client.search("x")[0][0].item_id == "A"


def test_a_stranger_is_not_talked_to(encrypted: Any, authorities: Any) -> None:
    error = _refused(encrypted.address, Tls(authorities[1].certificate))
    assert error.code == "UNAVAILABLE" and "do not trust each other" in error.message
    assert encrypted.calls == []


def test_plain_text_to_an_encrypted_port_fails(encrypted: Any) -> None:
    assert _refused(encrypted.address, None).code == "UNAVAILABLE"
    assert encrypted.calls == []


def test_the_servers_name_is_checked(scripted: Callable[..., Any], authorities: Any) -> None:
    pair = authorities[0].issue("named", "DNS:shop.test")
    server = scripted(credentials=_server_credentials(pair))
    assert _refused(server.address, Tls(authorities[0].certificate)).code == "UNAVAILABLE"
    with Client(server.address, tls=Tls(authorities[0].certificate, server_name="shop.test")) as client:
        assert client.search("x")


def test_mutual_tls(mutual: Any, authorities: Any) -> None:
    trusted, stranger = authorities
    certificate, key = trusted.issue("client")
    with Client(mutual.address, tls=Tls(trusted.certificate, certificate, key)) as client:
        assert client.search("x")
    assert _refused(mutual.address, Tls(trusted.certificate)).code == "UNAVAILABLE"
    assert _refused(mutual.address, Tls(trusted.certificate, *stranger.issue("client"))).code == "UNAVAILABLE"
    assert len(mutual.calls) == 1


def test_the_token_goes_with_every_call(scripted: Callable[..., Any]) -> None:
    server = scripted()
    with Client(server.address, token="s3cret") as client:
        client.search("x")
    with Client(server.address) as client:
        client.search("x")
    assert [call.get("authorization") for call in server.calls] == ["Bearer s3cret", None]


def test_a_new_token_in_the_file_is_taken(scripted: Callable[..., Any], tmp_path: Path) -> None:
    server, file = scripted(), tmp_path / "token"
    file.write_text("first\n")
    with Client(server.address, token_file=file) as client:
        client.search("x")
        aside = tmp_path / "aside"
        aside.write_text("second\n")
        os.replace(aside, file)
        client.search("x")
        file.unlink()  # as happens for a moment when a secret is rotated
        client.search("x")
    assert [call["authorization"] for call in server.calls] == ["Bearer first", "Bearer second", "Bearer second"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"tls": Tls("no-such.pem")}, "no-such.pem cannot be read"),
        ({"tls": Tls(__file__)}, "not in PEM format"),
        ({"tls": Tls(certificate="x.pem")}, "both a certificate and its key"),
        ({"token": "a", "token_file": "b"}, "not both"),
        ({"token": "two words"}, "one word"),
        ({"token": ""}, "one word"),
        ({"token_file": "no-such-token"}, "no-such-token cannot be read"),
        ({"token": "s3cret", "target": "shop.example:8500"}, "readable for everyone"),
        ({"token": "s3cret", "target": ["127.0.0.1:1", "127.evil.example:8500"]}, "readable for everyone"),
    ],
)
def test_wrong_credentials_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as failed:
        Client(**arguments)
    assert failed.value.code == "INVALID_ARGUMENT" and "s3cret" not in failed.value.message


@pytest.mark.parametrize("target", ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:/run/tfrec.sock"])
def test_a_token_may_go_about_in_its_own_machine(target: str) -> None:
    Client(target, token="s3cret").close()
