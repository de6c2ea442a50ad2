"""Versions pushed to and pulled from elsewhere."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest

from tfrec.errors import ExportError
from tfrec.export.manifest import MANIFEST, verify_manifest, write_manifest
from tfrec.export.remote import pull, push


@pytest.fixture()
def export(tmp_path: Path) -> Path:
    base = tmp_path / "export"
    _version(base / "1", b"first")
    _version(base / "10", b"tenth")
    return base


def _version(folder: Path, graph: bytes) -> None:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(graph)
    (folder / "variables" / "variables.index").write_bytes(b"index")
    write_manifest(folder, {})


@pytest.fixture(params=["folder", "memory"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"memory://{uuid.uuid4().hex}/shop" if request.param == "memory" else str(tmp_path / "there" / "shop")


def test_the_newest_version_comes_back_byte_for_byte(export: Path, elsewhere: str, tmp_path: Path) -> None:
    where = push(export, elsewhere)
    assert where.endswith("/10") and push(export, elsewhere) == where
    push(export / "1", elsewhere)
    found = pull(elsewhere, tmp_path / "here")
    assert found.name == "10" and (found / "saved_model.pb").read_bytes() == b"tenth"
    assert verify_manifest(found) == verify_manifest(export / "10")
    assert pull(elsewhere, tmp_path / "here") == found
    assert (pull(elsewhere, tmp_path / "here", 1) / "saved_model.pb").read_bytes() == b"first"


def test_what_is_there_is_never_replaced(export: Path, elsewhere: str, tmp_path: Path) -> None:
    push(export, elsewhere)
    _version(tmp_path / "other" / "10", b"another")
    with pytest.raises(ExportError, match="holds another version 10"):
        push(tmp_path / "other", elsewhere)
    with pytest.raises(ExportError, match="is another export than version 10"):
        pull(elsewhere, tmp_path / "other")
    with pytest.raises(ExportError, match="no whole version 7"):
        pull(elsewhere, tmp_path / "here", 7)


def test_nothing_damaged_is_pushed_or_pulled(export: Path, elsewhere: str, tmp_path: Path) -> None:
    push(export, elsewhere)
    files, base = fsspec.core.url_to_fs(elsewhere)
    files.pipe_file(f"{base}/10/saved_model.pb", b"tentH")
    with pytest.raises(ExportError, match="not the file that was exported"):
        pull(elsewhere, tmp_path / "here")
    assert not list((tmp_path / "here").glob("[0-9]*"))
    (export / "10" / "saved_model.pb").write_bytes(b"tentH")
    with pytest.raises(ExportError, match="not the file that was exported"):
        push(export, elsewhere + "2")


def test_half_a_push_is_no_version_and_is_made_whole(export: Path, elsewhere: str, tmp_path: Path) -> None:
    push(export / "1", elsewhere)
    push(export, elsewhere)
    files, base = fsspec.core.url_to_fs(elsewhere)
    files.rm_file(f"{base}/10/{MANIFEST}")  # a push that was killed
    assert pull(elsewhere, tmp_path / "here").name == "1"
    push(export, elsewhere)
    assert pull(elsewhere, tmp_path / "here").name == "10"


def test_a_manifest_cannot_write_elsewhere(export: Path, elsewhere: str, tmp_path: Path) -> None:
    push(export, elsewhere)
    files, base = fsspec.core.url_to_fs(elsewhere)
    text = files.cat_file(f"{base}/10/{MANIFEST}").replace(b"variables/variables.index", b"../../escaped")
    files.pipe_file(f"{base}/10/{MANIFEST}", text)
    with pytest.raises(ExportError, match="a path outside the export"):
        pull(elsewhere, tmp_path / "here")
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize(("url", "said"), [("s3://bucket/shop", r"tfrec-shop\[s3\]"), ("nonsense://x", "nonsense")])
def test_what_cannot_be_reached_is_told(export: Path, url: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        push(export, url)
    with pytest.raises(ExportError, match="holds no whole version"):
        pull(str(export.parent / "nowhere"), export.parent / "here")
