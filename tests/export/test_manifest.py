"""A manifest holds exactly what was exported, and refuses everything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfrec.errors import ExportError
from tfrec.export.manifest import MANIFEST, verify_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export = tmp_path / "1"
    (export / "variables").mkdir(parents=True)
    (export / "saved_model.pb").write_bytes(b"graph")
    (export / "variables" / "variables.index").write_bytes(b"index")
    write_manifest(export, {"metrics": {"ndcg@10": 0.5}})
    return export


def test_an_untouched_export_gives_its_manifest(folder: Path) -> None:
    manifest = verify_manifest(folder)
    assert set(manifest["files"]) == {"saved_model.pb", "variables/variables.index"}
    # sha256("graph"), computed with coreutils
    assert manifest["files"]["saved_model.pb"] == {
        "sha256": "eef93e1d14482804277fca0172464032d1a4fdbcc338524059fa1e861454ad4d",
        "bytes": 5,
    }
    assert manifest["metrics"] == {"ndcg@10": 0.5}
    assert manifest["versions"]["tensorflow"].startswith("2.")


def test_writing_again_gives_the_same_manifest(folder: Path) -> None:
    before = (folder / MANIFEST).read_bytes()
    write_manifest(folder, {"metrics": {"ndcg@10": 0.5}})
    assert (folder / MANIFEST).read_bytes() == before


def change_byte(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"grapH")


def cut_off(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"grap")


def remove(folder: Path) -> None:
    (folder / "variables" / "variables.index").unlink()


def add(folder: Path) -> None:
    (folder / "variables" / "more.so").write_bytes(b"code")


def link_out(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.write_bytes(b"graph")  # same content, so only the link itself can betray it
    (folder / "saved_model.pb").unlink()
    (folder / "saved_model.pb").symlink_to(outside)


def link_folder(folder: Path) -> None:
    os.rename(folder / "variables", folder.parent / "elsewhere")
    (folder / "variables").symlink_to(folder.parent / "elsewhere")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "fifo")


def edit(folder: Path, change: dict[str, object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | change))


def path_outside(folder: Path) -> None:
    (folder.parent / "outside").write_bytes(b"graph")
    digest = json.loads((folder / MANIFEST).read_text())["files"]["saved_model.pb"]
    edit(folder, {"files": {"../outside": digest}})


def absolute_path(folder: Path) -> None:
    edit(folder, {"files": {"/etc/hostname": {"sha256": "0", "bytes": 1}}})


def no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def broken_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")


def list_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("[]")


def other_format(folder: Path) -> None:
    edit(folder, {"format": 99})


def no_digest(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    edit(folder, {"files": dict.fromkeys(manifest["files"], "trust me")})


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (change_byte, "saved_model.pb is not the file that was exported"),
        (cut_off, "saved_model.pb is not the file that was exported"),
        (remove, "variables/variables.index is missing"),
        (add, "variables/more.so does not belong"),
        (link_out, "saved_model.pb is a symbolic link"),
        (link_folder, "variables is a symbolic link"),
        (pipe, "fifo is not a plain file"),
        (path_outside, "'../outside', a path outside"),
        (absolute_path, "'/etc/hostname', a path outside"),
        (no_manifest, f"has no {MANIFEST}"),
        (broken_manifest, f"{MANIFEST} is not valid JSON"),
        (list_manifest, f"{MANIFEST} lists no files"),
        (other_format, "has format 99"),
        (no_digest, "saved_model.pb has no sha256"),
    ],
)
def test_a_changed_export_is_refused_in_one_sentence(folder: Path, tamper, named: str) -> None:
    tamper(folder)
    with pytest.raises(ExportError) as caught:
        verify_manifest(folder)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_link_is_not_exported(folder: Path) -> None:
    link_out(folder)
    with pytest.raises(ExportError, match="symbolic link"):
        write_manifest(folder, {})


def test_verification_needs_no_tensorflow(folder: Path) -> None:
    code = (
        "import sys, pathlib; from tfrec.export.manifest import verify_manifest; "
        "verify_manifest(pathlib.Path(sys.argv[1])); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
