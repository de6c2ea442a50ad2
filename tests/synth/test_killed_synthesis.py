"""kill -9 at every step of synthesis: the same command goes on there and ends with the same files."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tfrec.config import load_config
from tfrec.files import read_json, sha256_file

PROGRAM = Path(__file__).with_name("killed_synthesis.py")
SETTINGS = ["name=killed_synth", "synthesis.sources=[catalogue, expansion]", "synthesis.queries=60"]
# killed as soon as this has appeared in the folder
MOMENTS = ["catalogue/candidates", ".examples.partial-*/shards/*/*/*"]
FINISHED = ["catalogue/candidates/manifest.json", "expansion/candidates/manifest.json", "checked/report.json"]


def _kill_at(moment: str, shop_home: Path, folder: Path) -> None:
    old = set(folder.glob(moment))
    command = [sys.executable, str(PROGRAM), str(shop_home), str(folder), *SETTINGS]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not set(folder.glob(moment)) - old:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, f"the process ended before {moment} could be seen"


def test_a_killed_synthesis_ends_with_the_same_files(shop_home: Path, tmp_path: Path) -> None:
    sys.path.insert(0, str(PROGRAM.parent))
    from killed_synthesis import make

    config = load_config(shop_home, SETTINGS)
    whole = make(config, tmp_path / "whole")
    assert {stream.source for stream in whole.streams} == {"catalogue", "expansion"}
    killed, finished = tmp_path / "killed", dict[str, int]()
    for moment in MOMENTS:
        _kill_at(moment, shop_home, killed)
        assert not (killed / "examples").exists()
        times = {name: (killed / name).stat().st_mtime_ns for name in FINISHED if (killed / name).exists()}
        assert finished.items() <= times.items(), "what is finished is not made again"
        finished = times
    again = make(config, killed)
    assert {name: (killed / name).stat().st_mtime_ns for name in FINISHED} == finished
    assert again.size == whole.size
    files = read_json(whole.folder / "manifest.json")["files"]
    assert read_json(again.folder / "manifest.json")["files"] == files
    assert len(files) >= 4
    assert all(sha256_file(again.folder / name) == digest for name, digest in files.items())
    assert not list(killed.glob(".*partial*"))
