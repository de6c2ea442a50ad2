"""Both sides of a comparison as tables for other monitors."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.conftest import TRAINED_WITH
from tfrec.cli.main import app


def test_tables_hold_numbers_and_no_text_and_nothing_is_written_over(
    trained_shop: tuple[Path, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFREC_HOME", str(trained_shop[0].parent / "home"))
    command = ["drift", "-c", str(trained_shop[0]), *(f"--set={setting}" for setting in TRAINED_WITH)]
    folder = tmp_path / "tables"
    done = CliRunner().invoke(app, [*command, "--tables", str(folder)])
    assert done.exit_code == 0, done.output
    then, now = ({file.stem: pl.read_parquet(file) for file in (folder / side).iterdir()} for side in ("then", "now"))
    assert {"catalogue", "queries"} <= then.keys() == now.keys()
    assert all(then[name].equals(now[name]) for name in then), "nothing has changed since"
    assert then["queries"]["words"].to_list() == [2] * then["queries"].height, "each names a colour and a thing"
    again = CliRunner().invoke(app, [*command, "--tables", str(folder)])
    assert again.exit_code == 2 and "is there already" in again.output
