"""The house: imports go down the layers only, and no room holds a circle (contracts in pyproject.toml)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LINT = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command; lint_imports_command()",
    "--no-cache",
]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_LINT, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(folder)})


def test_imports_go_down_the_layers_only_and_never_in_a_circle() -> None:
    found = _lint(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_turned_arrow_is_seen(tmp_path: Path) -> None:
    for name in ("tfrec", "serving", "tuner"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    lower = tmp_path / "tfrec" / "data" / "ages.py"
    lower.write_text(lower.read_text() + "\nfrom tfrec.retrieval import scorer  # noqa\n")
    found = _lint(tmp_path)
    assert found.returncode != 0
    assert "tfrec.data.ages -> tfrec.retrieval.scorer" in found.stdout
