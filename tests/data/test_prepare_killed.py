"""kill -9 at every stage of the work: nothing half-written is taken for whole, and the same command completes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tfrec.config import load_config
from tfrec.data.prepare import found_prepared, prepare

# killed a random few milliseconds after such a file has appeared in the folder beside the final one
FIRST_AND_LAST = ["", "shards/train-00000-*"]
ALL = ["", "items.parquet", "searches.parquet", "known_positives.parquet", "shards/train-00000-*"]
PROGRAM = (
    "import sys; from tfrec.config import load_config; from tfrec.data.prepare import prepare;"
    "prepare(load_config(sys.argv[1]))"
)


def _write(folder: Path, name: str) -> Path:
    words = [f"word{number}" for number in range(500)]
    rng = random.Random(1)
    root = folder / "shop"
    root.mkdir(exist_ok=True)
    (root / "items.csv").write_text(
        "item_id,title\n" + "".join(f"I{n},{' '.join(rng.choices(words, k=8))}\n" for n in range(20_000))
    )
    (root / "searches.csv").write_text(
        "query,item_id,gain\n" + "".join(f"query {n % 2000},I{rng.randrange(20_000)},1\n" for n in range(60_000))
    )
    tree = {"root": str(root), "items": "items.csv", "searches": "searches.csv"}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": name, "runs_dir": str(folder / "runs"), "data": tree}))
    return path


def _kill_at(moment: str, config: Path, run: Path, wait: float) -> None:
    pattern = f"data/.*.partial-*/{moment}" if moment else "data/.*.partial-*"
    old = set(run.glob(pattern))
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(config)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not set(run.glob(pattern)) - old:
            time.sleep(0.001)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the process was not killed in the middle"


@pytest.mark.parametrize("moments", [FIRST_AND_LAST, pytest.param(ALL, marks=pytest.mark.slow)], ids=["two", "all"])
def test_a_killed_preparation_completes_by_the_same_command(tmp_path: Path, moments: list[str]) -> None:
    whole = prepare(load_config(_write(tmp_path, "whole")))
    config, run = _write(tmp_path, "killed"), tmp_path / "runs" / "killed"
    chance = random.Random(5)
    for moment in moments:
        _kill_at(moment, config, run, chance.uniform(0, 0.02))
        assert len(list(run.glob("data/.*.partial-*"))) == 1  # the left-over of this kill; older ones are removed
        assert found_prepared(load_config(config)) is None
    again = prepare(load_config(config))
    assert again.fingerprint == whole.fingerprint and again.manifest["files"] == whole.manifest["files"]
    assert [path.name for path in run.iterdir()] == ["data"]
    assert list((run / "data").iterdir()) == [again.folder]


def test_killed_between_the_two_renames_it_completes_too(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path, "shop"))
    shop = prepare(config)
    shop.folder.rename(shop.folder.parent / f".{shop.folder.name}.old")  # as a kill between the renames leaves it
    assert prepare(config).fingerprint == shop.fingerprint
    assert list(shop.folder.parent.iterdir()) == [shop.folder]
