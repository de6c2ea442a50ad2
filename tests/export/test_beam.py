"""`tfrec encode --beam`: what there is to say without the package, and with it the files of one process.

Apache Beam wants an older protobuf than the versions in constraints.txt, so that it has an environment of its own:

    python -m venv beam && beam/bin/pip install '.[beam]'
    TFREC_BEAM_PYTHON=beam/bin/python pytest -m slow tests/export/test_beam.py
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.export.conftest import texts_of
from tfrec.cli.main import app

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("TFREC_BEAM_PYTHON")
PROGRAM = """
import sys
from pathlib import Path
from tfrec.export.beam import encode_with_beam
from tfrec.export.encoded import Encoding, encode_table
from tfrec.export.loaded import LoadedModel
table, export, folder = map(Path, sys.argv[1:])
shards, whole = (Encoding(table, "item_id", "text", count=count, rows=16) for count in (3, 1))
for _ in range(2):
    done = encode_with_beam(export, shards, folder / "beam", ["--runner=DirectRunner"])
    print(done.rows, done.parts, done.found)
done = encode_table(LoadedModel.open(export), whole, folder / "one")
print(done.rows, done.parts, done.found)
"""


def _table(folder: Path) -> Path:
    frame = pl.DataFrame({"item_id": [f"i{row}" for row in range(70)], "text": texts_of(70)})
    frame.write_csv(folder / "items.csv")
    return folder / "items.csv"


@pytest.mark.skipif(importlib.util.find_spec("apache_beam") is not None, reason="apache-beam is installed here")
@pytest.mark.parametrize(("shard", "told"), [("0/2", "apache-beam|apache_beam"), ("1/2", "--shard 0/2")])
def test_what_is_missing_is_told(shard: str, told: str, tmp_path: Path) -> None:
    given = [str(_table(tmp_path)), "--export", str(tmp_path), "--output", str(tmp_path / "out"), "--shard", shard]
    done = CliRunner().invoke(app, ["encode", *given, "--beam", ""])
    assert done.exit_code != 0 and not (tmp_path / "out").exists()
    assert any(part in done.output for part in told.split("|")), done.output


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="TFREC_BEAM_PYTHON names no environment with apache-beam")
def test_a_pipeline_writes_the_files_of_one_process(exported: Path, tmp_path: Path) -> None:
    command = [str(PYTHON), "-c", PROGRAM, str(_table(tmp_path)), str(exported), str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["70 5 0", "0 5 5", "70 5 0"]  # rows, parts, parts that were there
    one, beam = (
        {file.name: file.read_bytes() for file in (tmp_path / name).glob("part-*")} for name in ("one", "beam")
    )
    assert one == beam and len(one) == 5
