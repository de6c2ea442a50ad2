"""Versions come and go under a running core: what is served, what is refused and why, and that nobody is cut off."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.server.core import ServingCore
from serving.server.core_settings import CoreSettings
from serving.server.loader import LoadSettings
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig, VersionPolicy
from serving.server.registry import AVAILABLE, END, LOADING, UNLOADING, Registry, VersionState
from serving.server.status import StatusError
from serving.server.versions import Version, find_versions, wanted
from tfrec.errors import ServingError, TfrecError

SEARCH = {"query": np.array([b"red lamp"], object), "k": np.asarray(np.int32(1))}
QUICK = LoadSettings(warm_up=False)


@pytest.fixture
def base(tmp_path: Path, export_dir: Path) -> Path:
    """A base path with version 1, which knows no lamp."""
    shutil.copytree(export_dir / "9", tmp_path / "export" / "1")
    return tmp_path / "export"


@pytest.fixture
def add(base: Path, export_dir: Path) -> Callable[[int], Path]:
    """Adds a version that knows the lamp."""
    return lambda number: Path(shutil.copytree(export_dir / "10", base / str(number)))


Opener = Callable[..., ServingCore]


@pytest.fixture
def opened(base: Path) -> Iterator[Opener]:
    """A function that starts a core whose watch only looks when it is told to."""
    cores: list[ServingCore] = []

    def start(
        policy: VersionPolicy | None = None, labels: dict[str, int] | None = None, **settings: Any
    ) -> ServingCore:
        config = ModelConfig("shop", str(base), policy or VersionPolicy(), labels or {})
        given = {"loading": QUICK, "poll_seconds": 0.0, **settings}
        cores.append(ServingCore([config], CoreSettings(**given)))
        cores[-1].start()
        return cores[-1]

    yield start
    for core in cores:
        core.stop()


def first(core: ServingCore, **choice: Any) -> tuple[int, str]:
    with core.registry.acquire("shop", **choice) as handle:
        found = handle.run("search", SEARCH, ["item_ids"], time.monotonic() + 20)
        return handle.version, found["item_ids"][0, 0].decode()


def states(core: ServingCore) -> dict[int, int]:
    return {number: state.state for number, state in core.registry.states("shop").items()}


def settled(core: ServingCore, expected: dict[int, int]) -> bool:
    until = time.monotonic() + 10
    while states(core) != expected and time.monotonic() < until:
        time.sleep(0.01)
    return states(core) == expected


def test_a_new_version_takes_over_and_the_old_one_is_unloaded(opened: Opener, add: Callable[[int], Path]) -> None:
    core = opened()
    assert first(core) == (1, "S-1")
    add(2)
    core.look()
    assert first(core) == (2, "L-1") and settled(core, {2: AVAILABLE, 1: END})
    with pytest.raises(StatusError, match=r"Specific\(shop, 1\)"):
        first(core, version=1)


def test_the_watch_finds_it_by_itself(opened: Opener, add: Callable[[int], Path]) -> None:
    core = opened(poll_seconds=0.02)
    add(2)
    assert settled(core, {2: AVAILABLE, 1: END})


def test_a_request_that_runs_keeps_its_version(opened: Opener, add: Callable[[int], Path]) -> None:
    core = opened()
    with core.registry.acquire("shop") as handle:
        add(2)
        core.look()
        assert first(core)[0] == 2
        assert handle.run("search", SEARCH, ["item_ids"], None)["item_ids"][0, 0] == b"S-1"
        assert states(core)[1] != END
    assert settled(core, {2: AVAILABLE, 1: END})
    with pytest.raises(StatusError, match="being unloaded"), handle:
        pass


def test_a_version_that_comes_back_while_its_last_requests_run_stays(opened: Opener, base: Path) -> None:
    shop = ModelConfig("shop", str(base))
    shutil.copytree(base / "1", base / "2")
    core = opened()
    with core.registry.acquire("shop") as handle:
        assert handle.version == 2
        core.reload([replace(shop, policy=VersionPolicy("specific", versions=(1,)))])
        assert first(core)[0] == 1 and states(core) == {2: UNLOADING, 1: AVAILABLE}
        core.reload([replace(shop, policy=VersionPolicy("specific", versions=(1, 2)))])
        assert states(core) == {2: AVAILABLE, 1: AVAILABLE}
        leaving = [one for one in threading.enumerate() if one.name == "unload-shop-2"]
    for thread in leaving:
        thread.join(10)
    assert leaving and states(core) == {2: AVAILABLE, 1: AVAILABLE} and first(core)[0] == 2


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


def test_the_page_of_metrics_does_not_grow_with_versions() -> None:
    metrics = Metrics()
    registry = Registry(metrics)
    for number in range(1, 200):
        metrics.load("shop", number, 1.0, True, "/models/shop")
        for state in (LOADING, AVAILABLE, UNLOADING, END):
            registry.set_state("shop", number, VersionState(state))
    lines = [line for line in metrics.page().splitlines() if 'version="' in line]
    assert len(lines) < 50 and any('version="199"' in line for line in lines)
    registry.forget("shop")
    assert 'version="' not in metrics.page()


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


def test_removing_the_newest_folder_goes_back_to_the_one_before(opened: Opener, add: Callable[[int], Path]) -> None:
    new = add(2)
    core = opened()
    assert first(core)[0] == 2
    shutil.rmtree(new)
    core.look()
    assert first(core)[0] == 1 and settled(core, {2: END, 1: AVAILABLE})


def test_policies_and_labels(opened: Opener, add: Callable[[int], Path], base: Path) -> None:
    add(2), add(3)
    core = opened(VersionPolicy("specific", versions=(1, 2)), {"stable": 1, "canary": 2})
    assert first(core) == (2, "L-1") and states(core) == {2: AVAILABLE, 1: AVAILABLE}
    assert first(core, label="stable") == (1, "S-1") and first(core, label="canary")[0] == 2
    with pytest.raises(StatusError, match="Unrecognized servable version label: x"):
        first(core, label="x")
    shop = ModelConfig("shop", str(base), VersionPolicy("specific", versions=(1, 2)), {"stable": 2})
    core.reload([shop])  # the label moves
    assert first(core, label="stable")[0] == 2 and core.registry.labels("shop") == {"stable": 2}
    core.reload([ModelConfig("shop", str(base), VersionPolicy("all"))])
    assert states(core) == {3: AVAILABLE, 2: AVAILABLE, 1: AVAILABLE}
    core.reload([ModelConfig("shop", str(base), VersionPolicy("specific", versions=(1,)))])  # back
    assert first(core) == (1, "S-1") and settled(core, {3: END, 2: END, 1: AVAILABLE})


def test_a_reload_adds_and_drops_models(opened: Opener, base: Path) -> None:
    core = opened()
    core.reload([ModelConfig("shop", str(base)), ModelConfig("other", str(base))])
    assert core.registry.names() == ["shop", "other"]
    core.reload([ModelConfig("other", str(base))])
    assert core.registry.names() == ["other"] and core.registry.states("shop") == {}
    with pytest.raises(StatusError, match=r"Latest\(shop\)"):
        first(core)


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


def test_no_request_fails_while_versions_change(opened: Opener, add: Callable[[int], Path]) -> None:
    core, failures, answers, ended = opened(), [], set(), threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                answers.add(first(core))
            except Exception as error:  # any failure counts
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in (2, 3, 4):
        add(number)
        core.look()
    while (4, "L-1") not in answers and not failures:
        time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert {(1, "S-1"), (4, "L-1")} <= answers <= {(1, "S-1"), (2, "L-1"), (3, "L-1"), (4, "L-1")}


def test_which_versions_are_wanted(tmp_path: Path) -> None:
    for name in ("7", "007", "12", "3", "-1", "1.5", "x"):
        (tmp_path / name).mkdir()
    present = find_versions(tmp_path)
    assert present == [Version(12, tmp_path / "12"), Version(7, tmp_path / "7"), Version(3, tmp_path / "3")]
    numbers: Callable[..., list[int]] = lambda *policy, **more: [  # noqa: E731
        version.number for version in wanted(VersionPolicy(*policy, **more), present, {12})
    ]
    assert numbers() == [7] and numbers("latest", 2) == [7, 3] and numbers("all") == [7, 3]
    assert numbers("specific", versions=(3, 12, 99)) == [3]
