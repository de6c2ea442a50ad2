"""What can go wrong before the first request: each case one clear sentence."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.errors import ExportError, ServingError
from tfrec.serving.server.server import ModelServer, ServerOptions
from tfrec.serving.server.sessions.warmup import warm_up
from tfrec.serving.server.versions.loader import Version, find_versions, load


def _options(verify: Callable[[Path], Any]) -> ServerOptions:
    return ServerOptions(verify=verify)


def test_versions_are_integers_and_the_highest_is_first(export_dir: Path) -> None:
    assert [version.number for version in find_versions(export_dir)] == [10, 9]


def test_a_version_folder_stands_for_itself(export_dir: Path) -> None:
    assert find_versions(export_dir / "9") == [Version(9, export_dir / "9")]


def test_a_chosen_version_folder_is_served(export_dir: Path) -> None:
    from tfrec.serving.client import Client

    with ModelServer(export_dir / "9", "old", port=0) as server:
        with Client(server.address, "old", timeout=20) as client:
            assert client.status() == [(9, "AVAILABLE", "OK", "")]
            assert "L-1" not in [hit.item_id for hit in client.search("red lamp", 5)[0]]


def test_missing_and_empty_exports(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="no export folder"):
        find_versions(tmp_path / "nowhere")
    (tmp_path / "v1").mkdir()
    with pytest.raises(ServingError, match="no version folder"):
        find_versions(tmp_path)


def test_a_refused_export_is_not_loaded(export_dir: Path) -> None:
    def refuse(folder: Path) -> None:
        raise ExportError(f"{folder / 'saved_model.pb'} was changed after the export: export again.")

    server = ModelServer(export_dir, port=0, options=_options(refuse))
    with pytest.raises(ExportError, match="was changed"):
        server.start()
    assert all(state.servable is None for state in server.registry.states("tfrec").values())


def test_the_check_sees_the_folder_that_is_served(export_dir: Path) -> None:
    seen: list[Path] = []
    load("shop", find_versions(export_dir)[0], seen.append)
    assert seen == [export_dir / "10"]


@pytest.mark.parametrize("harm", ["no manifest", "changed byte", "missing file", "added file", "link"])
def test_a_tampered_export_is_refused(export_dir: Path, tmp_path: Path, harm: str) -> None:
    version = shutil.copytree(export_dir / "10", tmp_path / "1")
    weights = next((version / "variables").glob("*.data-*"))
    if harm == "no manifest":
        (version / "tfrec_manifest.json").unlink()
    elif harm == "changed byte":
        content = bytearray(weights.read_bytes())
        content[7] ^= 1
        weights.write_bytes(bytes(content))
    elif harm == "missing file":
        weights.unlink()
    elif harm == "added file":
        (version / "assets" / "more").write_text("x")
    else:
        weights.unlink()
        weights.symlink_to(next((export_dir / "10" / "variables").glob("*.data-*")))
    server = ModelServer(tmp_path, port=0)
    with pytest.raises(ExportError, match="tfrec_manifest" if harm == "no manifest" else "variables|more"):
        server.start()


@pytest.mark.parametrize("content", [None, b"this is no protobuf", b""])
def test_a_broken_saved_model_is_told(tmp_path: Path, no_check: Callable[[Path], None], content: bytes | None) -> None:
    (tmp_path / "1").mkdir()
    if content is not None:
        (tmp_path / "1" / "saved_model.pb").write_bytes(content)
    with pytest.raises(ServingError, match="export"):
        ModelServer(tmp_path, port=0, options=_options(no_check)).start()


def test_a_port_in_use_is_told_before_the_model_is_loaded(export_dir: Path) -> None:
    def never(folder: Path) -> None:
        raise AssertionError("the model must not be loaded")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServingError, match=f"port {port} .* in use.*--port"):
            ModelServer(export_dir, port=port, options=_options(never)).start()


def test_a_second_server_does_not_share_the_port(server: Any, export_dir: Path) -> None:
    with pytest.raises(ServingError, match="in use"):
        ModelServer(export_dir, port=server.port).start()


def test_the_port_taken_during_the_load_is_told_too(export_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        with socket.socket() as late:
            take = _options(lambda _: (late.bind(("127.0.0.1", port)), late.listen()))
            server = ModelServer(export_dir, port=port, options=take)
            with pytest.raises(ServingError, match="in use"):
                server.start()


@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [
        ("no.such.host.invalid", 8500, "no.such.host.invalid' is not known"),
        ("127.0.0.1", 70000, "from 0 to 65535, not 70000"),
        ("192.0.2.1", 0, "on 192.0.2.1 cannot be opened"),
    ],
)
def test_impossible_addresses(export_dir: Path, host: str, port: int, sentence: str) -> None:
    with pytest.raises(ServingError, match=sentence):
        ModelServer(export_dir, host=host, port=port).start()


def test_warm_up_runs_the_records_of_the_export(export_dir: Path, no_check: Callable[[Path], None]) -> None:
    assert warm_up(load("any", find_versions(export_dir)[0], no_check)) == 2
    assert warm_up(load("any", find_versions(export_dir)[1], no_check)) == 0


def test_broken_warm_up_records_are_told(export_dir: Path, tmp_path: Path, no_check: Callable[[Path], None]) -> None:
    shutil.copytree(export_dir / "10", tmp_path / "1")
    file = tmp_path / "1" / "assets.extra" / "tf_serving_warmup_requests"
    whole = file.read_bytes()
    servable = load("shop", find_versions(tmp_path)[0], no_check)
    file.write_bytes(whole[:-3])
    with pytest.raises(ServingError, match="cannot be read after record"):
        warm_up(servable)
    changed = bytearray(whole)
    changed[20] ^= 1
    file.write_bytes(bytes(changed))
    with pytest.raises(ServingError, match="cannot be read after record"):
        warm_up(servable)


def test_a_model_that_fails_its_warm_up_is_not_served(tmp_path: Path, write_export: Callable[..., Path]) -> None:
    write_export(tmp_path / "1", warmup=["sofa"], k=-1)
    with pytest.raises(ServingError, match="fails on record 1 .*(k must be at least 1)"):
        ModelServer(tmp_path, port=0).start()
    with ModelServer(tmp_path, port=0, options=ServerOptions(warm_up=False)) as server:
        assert server.port > 0


def test_the_program_tells_a_missing_export_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tfrec.serving.server.main import main

    folder = tmp_path / "none"
    assert main(["--port=0", f"--model_base_path={folder}"]) == 2
    assert capsys.readouterr().err == f"error: There is no export folder {folder}: make one with `tfrec export`.\n"
