"""Old versions go by number and age; those that may be needed stay."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.lifecycle.conftest import judge, make_version
from tfrec.config import KeepConfig
from tfrec.export.manifest import MANIFEST
from tfrec.lifecycle.act_log import Standing, read_acts
from tfrec.lifecycle.keeping import outlived
from tfrec.lifecycle.models_config import Servers
from tfrec.lifecycle.promotion import promote
from tfrec.lifecycle.verdict_file import verdict_path
from tfrec.lifecycle.versions import last_full_training, list_versions, version_numbers

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


def aged(export: Path, days: dict[int, float]) -> None:
    for number, age in days.items():
        folder = export / str(number)
        if not folder.exists():
            make_version(export, number)
        when = (NOW - timedelta(days=age)).timestamp()
        os.utime(folder / MANIFEST, (when, when))


def test_only_what_is_beyond_both_bounds_and_not_needed_goes(export: Path) -> None:
    aged(export, {1: 100, 2: 90, 3: 80, 4: 70, 5: 60, 6: 10, 7: 5})
    keep = KeepConfig(versions=2, days=30)
    assert outlived(export, keep, Standing(), NOW) == [1, 2, 3, 4, 5]
    assert outlived(export, keep, Standing(3, 5, (1, 2)), NOW) == [2, 4]
    assert outlived(export, KeepConfig(versions=2, days=75), Standing(), NOW) == [1, 2, 3]
    assert outlived(export, KeepConfig(versions=7, days=0), Standing(), NOW) == []


def test_the_last_full_training_stays_for_the_gate(export: Path) -> None:
    for number, base in ((4, None), (5, "a"), (6, "b"), (7, "b"), (8, "b")):
        make_version(export, number, trained_from=base)
    aged(export, dict.fromkeys(range(1, 9), 100))
    assert last_full_training(export) == last_full_training(export, 6) == 4
    assert last_full_training(export, 4) is None, "versions of before say nothing of it"
    assert outlived(export, KeepConfig(versions=2, days=30), Standing(), NOW) == [1, 2, 3, 5, 6]


def test_a_promotion_removes_them_and_says_so_in_the_log(export: Path) -> None:
    aged(export, {1: 4000, 2: 4000, 3: 4000, 4: 4000})
    judge(export, 1, "refuse")
    promote(Servers(export), 2, force="x")
    done = promote(Servers(export), 3, force="x", keep=KeepConfig(versions=1, days=30))
    assert done.removed == (1,) and version_numbers(export) == [4, 3, 2]
    assert [(act.act, act.version) for act in read_acts(export)][-1] == ("remove", 1)
    assert read_acts(export)[-1].after == done.after and not verdict_path(export, 1).exists()
    assert not list(export.glob(".1.*"))


def test_versions_are_listed_with_what_is_known_of_them(export: Path) -> None:
    for number in (1, 2):
        promote(Servers(export), number, force="x")
    judge(export, 3, "doubtful", against=2)
    judge(export, 2)
    path = verdict_path(export, 2)
    path.write_text(path.read_text().replace("2026", "2025"))
    (export / "1" / MANIFEST).unlink()
    three, two, one = list_versions(export)
    assert (three.number, three.items, three.labels, three.fault) == (3, 30, (), "")
    assert three.verdict is not None and three.verdict.outcome == "doubtful" and three.bytes == len("model 3")
    assert two.labels == ("stable",) and two.verdict is None and "not a verdict" in two.fault
    assert one.labels == ("before",) and "cannot be trusted" in one.fault
    (export / "007").mkdir()
    (export / "latest").mkdir()
    assert version_numbers(export) == [3, 2, 1]
