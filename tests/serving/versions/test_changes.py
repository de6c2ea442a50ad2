"""Versions come and go under a running core: what is served, and that nobody is cut off."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.serving.versions.running import SEARCH, Opener, first, settled, states
from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy
from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.status import StatusError
from tfrec.serving.server.versions.folders import Version, find_versions, wanted
from tfrec.serving.server.versions.registry import AVAILABLE, END, LOADING, UNLOADING, Registry, VersionState


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
