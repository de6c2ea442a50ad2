"""`tfrec encode --beam`: what there is to say without the package, and with it the files of one process.

Apache Beam wants an older protobuf than the versions in constraints.txt, so that it has an environment of its own:
`make test-beam` makes it, and runs all of this there.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.export.conftest import texts_of
from tfrec.cli.main import app

HAS_BEAM = importlib.util.find_spec("apache_beam") is not None


def _table(folder: Path) -> Path:
    frame = pl.DataFrame({"item_id": [f"i{row}" for row in range(70)], "text": texts_of(70)})
    frame.write_csv(folder / "items.csv")
    return folder / "items.csv"


@pytest.mark.skipif(HAS_BEAM, reason="apache-beam is installed here")
@pytest.mark.parametrize(("shard", "told"), [("0/2", "apache-beam|apache_beam"), ("1/2", "--shard 0/2")])
def test_what_is_missing_is_told(shard: str, told: str, tmp_path: Path) -> None:
    given = [str(_table(tmp_path)), "--export", str(tmp_path), "--output", str(tmp_path / "out"), "--shard", shard]
    done = CliRunner().invoke(app, ["encode", *given, "--beam", ""])
    assert done.exit_code != 0 and not (tmp_path / "out").exists()
    assert any(part in done.output for part in told.split("|")), done.output


@pytest.mark.slow
@pytest.mark.skipif(not HAS_BEAM, reason="apache-beam is not installed here: `make test-beam` has it")
def test_a_pipeline_writes_the_files_of_one_process(exported: Path, tmp_path: Path) -> None:
    from tfrec.export.beam import encode_with_beam
    from tfrec.export.encoded import Encoded, Encoding, encode_table
    from tfrec.export.loaded import LoadedModel

    shards, whole = (Encoding(_table(tmp_path), "item_id", "text", count=count, rows=16) for count in (3, 1))
    runs = [encode_with_beam(exported, shards, tmp_path / "beam", ["--runner=DirectRunner"]) for _ in range(2)]
    assert runs == [Encoded(70, 5, 0), Encoded(0, 5, 5)]
    assert encode_table(LoadedModel.open(exported), whole, tmp_path / "one") == Encoded(70, 5, 0)
    one, beam = (
        {file.name: file.read_bytes() for file in (tmp_path / name).glob("part-*")} for name in ("one", "beam")
    )
    assert one == beam and len(one) == 5
