"""What a running core refuses, with which reason, and that the old version serves on."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.versions.running import Opener, first, states
from tfrec.errors import ServingError, TfrecError
from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy
from tfrec.serving.server.core import ServingCore
from tfrec.serving.server.status import StatusError
from tfrec.serving.server.versions.loader import LoadSettings
from tfrec.serving.server.versions.registry import AVAILABLE, END


def test_a_file_system_that_fails_is_a_refusal_and_other_models_go_on(
    opened: Opener, base: Path, tmp_path: Path, add: Callable[[int], Path]
) -> None:
    def verify(folder: Path) -> None:
        if folder == base / "2":
            raise PermissionError(13, "Permission denied", str(folder / "saved_model.pb"))

    core = opened(loading=LoadSettings(verify, warm_up=False))
    other = shutil.copytree(base, tmp_path / "other")
    core.reload([ModelConfig("shop", str(base)), ModelConfig("other", str(other))])
    shutil.copytree(add(2), other / "2")
    core.look()
    assert states(core) == {2: END, 1: AVAILABLE}
    assert "PermissionError" in core.registry.states("shop")[2].error_message
    assert core.registry.states("other")[2].state == AVAILABLE


def test_a_load_is_given_up_when_the_server_stops(opened: Opener, add: Callable[[int], Path]) -> None:
    cores: list[ServingCore] = []

    def verify(folder: Path) -> None:
        if folder.name == "2":
            cores[0].halt()

    cores.append(opened(loading=LoadSettings(verify, warm_up=False)))
    add(2)
    cores[0].look()
    assert states(cores[0]) == {2: END, 1: AVAILABLE} and first(cores[0])[0] == 1
    assert "given up" in cores[0].registry.states("shop")[2].error_message


def test_a_client_may_bring_models_only_from_the_folders_that_were_given(
    opened: Opener, base: Path, tmp_path: Path, export_dir: Path
) -> None:
    core = opened(reload_paths=(str(export_dir),))
    (base / "link").symlink_to(tmp_path)
    for path in (tmp_path, base / "..", base / "link", "/", "\0"):
        with pytest.raises(StatusError, match="outside the folders") as denied:
            core.requested([ModelConfig("shop", str(base)), ModelConfig("new", str(path))])
        assert denied.value.code.name == "PERMISSION_DENIED" and core.registry.names() == ["shop"]
    core.requested([ModelConfig("shop", str(base)), ModelConfig("new", str(export_dir / "9"))])
    assert core.registry.names() == ["shop", "new"]


def _harm(folder: Path, harm: str, elsewhere: Path) -> None:
    weights = next((folder / "variables").glob("*.data-*"))
    if harm == "no manifest":
        (folder / "tfrec_manifest.json").unlink()
    elif harm == "changed byte":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(bytes(content))
    elif harm == "missing file":
        weights.unlink()
    elif harm == "link to a file":
        weights.rename(elsewhere)
        weights.symlink_to(elsewhere)
    elif harm == "link to a folder":
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere)
    elif harm == "broken graph":
        from tfrec.export.manifest import write_manifest

        (folder / "saved_model.pb").write_bytes((folder / "saved_model.pb").read_bytes()[:-40])
        write_manifest(folder, {})


HARMS = {
    "no manifest": "has no tfrec_manifest.json", "changed byte": "its sha256 differs", "missing file": "is missing",
    "link to a file": "symbolic link", "link to a folder": "outside", "broken graph": "cannot be read|cannot be loaded",
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_version_is_refused_with_its_reason_and_the_old_one_serves_on(
    opened: Opener, add: Callable[[int], Path], tmp_path: Path, harm: str
) -> None:
    core = opened()
    _harm(add(2), harm, tmp_path / "elsewhere")
    core.look()
    assert first(core) == (1, "S-1") and states(core) == {2: END, 1: AVAILABLE}
    refused = core.registry.states("shop")[2]
    assert refused.error_code == 9 and re.search(HARMS[harm], refused.error_message), refused.error_message


def test_a_server_starts_with_the_newest_version_that_is_whole(opened: Opener, add: Callable[[int], Path]) -> None:
    _harm(add(2), "missing file", Path())
    core = opened()
    assert first(core)[0] == 1 and states(core) == {2: END, 1: AVAILABLE}


def test_a_version_that_is_still_being_copied_is_loaded_once_it_is_whole(
    opened: Opener, add: Callable[[int], Path], tmp_path: Path
) -> None:
    core = opened()
    weights = next((add(2) / "variables").glob("*.data-*"))
    content = weights.read_bytes()
    weights.write_bytes(content[:10])
    core.look()
    assert states(core) == {2: END, 1: AVAILABLE}
    weights.write_bytes(content)
    core.look()  # sees that it changed
    assert first(core)[0] == 1
    core.look()  # and now that it has come to rest
    assert first(core) == (2, "L-1")
    assert core.registry.states("shop")[2].error_message == ""


def test_a_refused_version_is_not_tried_at_every_look(
    opened: Opener, add: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def verify(folder: Path) -> None:
        seen.append(folder)
        if folder.name == "2":
            raise ServingError("Not this one.")

    core = opened(loading=LoadSettings(verify, warm_up=False), retry_seconds=60.0)
    add(2)
    for _ in range(3):
        core.look()
    assert [folder.name for folder in seen] == ["1", "2"]
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    core.look()
    core.look()
    assert [folder.name for folder in seen] == ["1", "2", "2"]


def test_a_version_that_changes_while_it_is_loaded_is_refused(base: Path, opened: Opener) -> None:
    def verify(folder: Path) -> None:
        os.utime(folder / "saved_model.pb", (1, 1))

    with pytest.raises(ServingError, match="changed while it was loaded"):
        opened(loading=LoadSettings(verify, warm_up=False))


def test_a_lost_folder_takes_nothing_away(opened: Opener, base: Path, tmp_path: Path) -> None:
    core = opened()
    base.rename(tmp_path / "gone")
    core.look()
    assert first(core)[0] == 1
    (tmp_path / "gone").rename(base)
    core.look()
    assert first(core)[0] == 1 and states(core) == {1: AVAILABLE}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"base_path": "/nowhere/at/all"}, "no export folder"),
        ({"policy": VersionPolicy("specific", versions=(7,))}, "no version 7"),
        ({"labels": {"stable": 7}}, "assign label to version 7 of model new, which is not currently available"),
    ],
)
def test_a_reload_that_fails_leaves_all_as_it_was(
    opened: Opener, base: Path, change: dict[str, Any], reason: str
) -> None:
    core = opened()
    wrong = ModelConfig(**{"name": "new", "base_path": str(base), **change})
    with pytest.raises(StatusError, match=reason) as failed:
        core.reload([wrong])
    assert failed.value.code.name == "FAILED_PRECONDITION"
    assert core.registry.names() == ["shop"] and first(core) == (1, "S-1")
    core.look()
    assert states(core) == {1: AVAILABLE}


def test_nothing_to_serve_is_told_at_the_start(opened: Opener, base: Path) -> None:
    with pytest.raises(TfrecError, match="no version 4"):
        opened(VersionPolicy("specific", versions=(4,)))
    with pytest.raises(ServingError, match="label"):
        opened(labels={"stable": 4})
