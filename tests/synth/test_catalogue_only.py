"""A shop of which nothing but the catalogue is known, from the command to an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tfrec.cli.console import console
from tfrec.cli.main import app


def test_train_makes_a_search_out_of_a_catalogue_alone(
    shop_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.export.loaded import LoadedModel

    monkeypatch.setattr(console, "_width", 400)
    settings = [
        "name=catalogue_only", f"runs_dir={tmp_path}", "data.searches=null", "data.interactions=null",
        "training.max_steps=12", "training.evaluations=1", "training.interpolation=[]",
    ]  # fmt: skip
    words = [word for one in settings for word in ("--set", one)]
    done = CliRunner().invoke(app, ["train", "--config", str(shop_home), *words])
    assert done.exit_code == 0, done.output
    assert "the model learns from made queries alone (catalogue)" in done.stderr
    assert "are kept; no labelled request chooses them" in done.output
    assert "Not measured. There is nothing to evaluate" in done.output and "Exported: " in done.output
    found = LoadedModel.open(tmp_path / "catalogue_only" / "export" / "1").search(["red sofa", "bed blue"], k=3)
    assert "sofa-red" in found.item_ids[0] and "bed-blue" in found.item_ids[1]
