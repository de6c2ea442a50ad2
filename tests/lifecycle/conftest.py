"""Export folders made by hand: version folders with real manifests, without TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.export.manifest import write_manifest
from tfrec.lifecycle.verdict_file import Verdict, manifest_digest, write_verdict

Make = Callable[..., Path]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export folder with versions 1, 2 and 3."""
    for number in (1, 2, 3):
        make_version(tmp_path / "export", number)
    return tmp_path / "export"


def make_version(export: Path, number: int, **facts: Any) -> Path:
    """Writes a version folder with its manifest."""
    folder = export / str(number)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(f"model {number}".encode())
    write_manifest(folder, {"signature": f"{number:x}" * 64, "items": 10 * number, **facts})
    return folder


def judge(export: Path, number: int, outcome: str = "pass", against: int | None = None) -> Verdict:
    """Writes a verdict on a version as it stands there."""
    reasons = () if outcome == "pass" else ("Search lost 0.3 nDCG@10.",)
    verdict = Verdict(number, manifest_digest(export, number), against, outcome, reasons, "2026-01-01T00:00:00+00:00")
    write_verdict(export, verdict)
    return verdict
