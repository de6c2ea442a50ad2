"""`tfrec init` on a terminal asks what the files do not tell."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

from tfrec.config import load_config

ITEMS = "sku;name_en;name_de;lang\n" + "".join(
    f"S{n};{colour} lamp;{colour} Leuchte;{lang}\n"
    for n, colour in enumerate(["red", "blue", "green"])
    for lang in ("en", "de")
)


def talked(folder: Path, *answers: str) -> tuple[int, str]:
    """Runs the command on a terminal of its own and answers each question; (exit code, all that it showed)."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tfrec", "init", str(folder)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "120"}
    )
    os.close(theirs)
    shown, left, until = "", list(answers), time.monotonic() + 120
    while time.monotonic() < until:
        ready, _, _ = select.select([ours], [], [], 1.0)
        if ready:
            try:
                shown += os.read(ours, 4096).decode("utf-8", "replace")
            except OSError:  # the other side is closed
                break
        if shown.count("or another answer") > len(answers) - len(left) and left:
            os.write(ours, f"{left.pop(0)}\n".encode())
    os.close(ours)
    return process.wait(30), shown


def test_questions_are_asked_one_by_one_and_answers_are_written(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(ITEMS, "utf-8")
    code, shown = talked(tmp_path, "name_de", "2")
    assert code == 0, shown
    assert "which column is the product's title?" in shown and "in several languages (lang)" in shown
    items = load_config(tmp_path / "shop.yaml").data.items
    assert items is not None and items.columns["title"] == "name_de"
    options = shown[shown.index("in several languages") :]
    second = next(line.split(")")[1].strip() for line in options.splitlines() if line.strip().startswith("2)"))
    assert items.where == {"lang": second}
