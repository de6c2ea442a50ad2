"""`tfrec synth run | inspect` as a user calls them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tfrec.cli.console import console
from tfrec.cli.main import app

SETTINGS = ["--set", "name=synth_cli", "--set", "synthesis.sources=[catalogue, templates, expansion, behaviour]",
            "--set", "synthesis.queries=40", "--set", "synthesis.templates.queries=60",
            "--set", "synthesis.behaviour.purchases={model: item_item, minimum_pairs: 1}"]  # fmt: skip


def _tfrec(shop_home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words[:2], "--config", str(shop_home), *SETTINGS, *words[2:]])
    return done.exit_code, done.output


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables without broken lines, whatever the terminal."""
    monkeypatch.setattr(console, "_width", 200)


@pytest.fixture()
def made(shop_home: Path) -> Path:
    """The known shop with samples made by the command."""
    code, told = _tfrec(shop_home, "synth", "run")
    assert code == 0, told
    for word in ("catalogue", "templates", "expansion", "samples/s", "evaluated_queries", "Written:"):
        assert word in told, told
    assert "Simulated purchases (item_item) beside the real ones" in told and "total variation" in told
    return shop_home


def test_made_and_dropped_samples_are_shown_with_their_origin(made: Path) -> None:
    code, shown = _tfrec(made, "synth", "inspect", "--source", "catalogue", "--rows", "1000")
    assert code == 0 and "catalogue: cut" in shown and "teacher" in shown and "expansion" not in shown
    assert "made with seed 17" in shown
    code, shown = _tfrec(made, "synth", "inspect", "--query", "sofa", "--rows", "1000")
    assert code == 0
    rows = [line for line in shown.splitlines() if line.startswith("│")]
    assert rows and all("sofa" in row for row in rows)
    code, shown = _tfrec(made, "synth", "inspect", "--item", "sofa-red", "--rows", "3")
    assert code == 0 and "sofa-red" in shown
    code, shown = _tfrec(made, "synth", "inspect", "--dropped", "--rows", "1000")
    assert code == 0 and "dropped by" in shown

    code, told = _tfrec(made, "synth", "inspect", "--item", "nothing")
    assert code == 2 and told.startswith("error: ") and told.count("\n") == 1


def test_mistakes_are_one_line(shop_home: Path) -> None:
    code, told = _tfrec(shop_home, "synth", "run", "--set", "synthesis.sources=[templats]")
    assert code == 2 and "templates" in told and told.count("error:") == 1
    code, told = _tfrec(shop_home, "synth", "inspect", "--set", "name=never_made")
    assert code == 2 and "error: " in told
