"""Versions grow, and kill -9 in the middle of an export leaves nothing that could be taken for one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tfrec.export.exporter import export_model
from tfrec.export.loaded import LoadedModel
from tfrec.export.version_names import newest_version


def test_a_killed_export_leaves_no_version_and_the_next_one_succeeds(
    trained: Any, make_config: Any, exported: Path, tmp_path: Path
) -> None:
    base = tmp_path / "export"
    shutil.copytree(exported, base / "10")  # the newest as a number, not as text
    for name in ("3", "not-a-version"):
        (base / name).mkdir()
    config = make_config(precision="f32", warmup_requests=0)  # another version of the same model
    script = Path(__file__).with_name("killed_export.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(trained.shop.folder), str(base)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(config.model_dump_json().encode())
        process.stdin.close()
        deadline = time.monotonic() + 300
        while not list(base.glob(".11.partial-*/saved_model.pb")):  # the graph is written, the rest is not
            assert process.poll() is None, process.stderr.read().decode()[-3000:]  # type: ignore[union-attr]
            assert time.monotonic() < deadline, "the export never began to write"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    names = {entry.name for entry in base.iterdir()}
    assert {name for name in names if not name.startswith(".11.partial-")} == {"3", "10", "not-a-version"}
    assert newest_version(base) == base / "10"
    second = export_model(config, *trained[1:], base=base, metrics={}, signature="a" * 64)
    assert second == base / "11" and not (second / "assets.extra" / "tf_serving_warmup_requests").exists()
    # the killed run's left-overs are gone too
    assert sorted(entry.name for entry in base.iterdir()) == ["10", "11", "3", "not-a-version"]
    assert export_model(config, *trained[1:], base=base, metrics={}, signature="a" * 64) == second
    loaded = LoadedModel.open(base)
    assert loaded.folder == second and loaded.search(["red sofa"], 3).item_ids.shape == (1, 3)
