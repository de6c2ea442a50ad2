"""kill -9 in the middle of an export leaves nothing that could be taken for one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tfrec.errors import ExportError
from tfrec.export.exporter import export_model
from tfrec.export.loaded import LoadedModel


def test_a_killed_export_leaves_no_version_and_the_next_one_succeeds(trained: Any, tmp_path: Path) -> None:
    base = tmp_path / "export"
    script = Path(__file__).with_name("killed_export.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(trained.shop.folder), str(base)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(trained.config.model_dump_json().encode())
        process.stdin.close()
        deadline = time.monotonic() + 300
        while not list(base.glob(".1.partial-*/saved_model.pb")):  # the graph is written, the rest is not
            assert process.poll() is None, process.stderr.read().decode()[-3000:]  # type: ignore[union-attr]
            assert time.monotonic() < deadline, "the export never began to write"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    assert [entry.name for entry in base.iterdir() if not entry.name.startswith(".1.partial-")] == []
    with pytest.raises(ExportError, match="holds no export"):
        LoadedModel.open(base)
    assert export_model(*trained, base=base, metrics={}, signature="a") == base / "1"
    assert [entry.name for entry in base.iterdir()] == ["1"]  # the killed run's left-overs are gone too
    assert LoadedModel.open(base).search(["red sofa"], 3).item_ids.shape == (1, 3)
