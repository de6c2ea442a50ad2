"""`tfrec encode --ray`: what there is to say without the package, and with it the files of one process.

The extra is not among those of `make setup`: pip install '.[ray]', then pytest -m '' tests/export/test_ray.py.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.export.conftest import texts_of
from tfrec.cli.main import app
from tfrec.errors import TfrecError
from tfrec.export.encoded import Encoded, Encoding, encode_table

HAS_RAY = importlib.util.find_spec("ray") is not None


def _table(folder: Path) -> Path:
    pl.DataFrame({"item_id": [f"i{row}" for row in range(70)], "text": texts_of(70)}).write_csv(folder / "items.csv")
    return folder / "items.csv"


@pytest.mark.parametrize(
    ("shard", "more", "told"),
    [
        pytest.param("0/2", [], "'tfrec-shop\\[ray\\]'", marks=pytest.mark.skipif(HAS_RAY, reason="ray is installed")),
        ("1/2", [], "--ray makes all shards: write --shard 0/2"),
        ("0/2", ["--beam", ""], "give one of them"),
    ],
)
def test_what_is_wrong_is_told(shard: str, more: list[str], told: str, tmp_path: Path) -> None:
    given = [str(_table(tmp_path)), "--export", str(tmp_path), "--output", str(tmp_path / "out"), "--shard", shard]
    done = CliRunner().invoke(app, ["encode", *given, "--ray", "", *more])
    assert done.exit_code != 0 and not (tmp_path / "out").exists()
    assert told.replace("\\", "") in " ".join(done.output.split())


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="ray is not installed here: pip install '.[ray]'")
def test_a_cluster_writes_the_files_of_one_process(exported: Path, tmp_path: Path) -> None:
    from tfrec.export.loaded import LoadedModel
    from tfrec.export.ray_data import encode_with_ray

    shards, whole = (Encoding(_table(tmp_path), "item_id", "text", count=count, rows=16) for count in (3, 1))
    runs = [encode_with_ray(exported, shards, tmp_path / "ray") for _ in range(2)]
    assert runs == [Encoded(70, 5, 0), Encoded(0, 5, 5)]
    assert encode_table(LoadedModel.open(exported), whole, tmp_path / "one") == Encoded(70, 5, 0)
    one, ray = ({file.name: file.read_bytes() for file in (tmp_path / name).glob("part-*")} for name in ("one", "ray"))
    assert one == ray and len(one) == 5
    with pytest.raises(TfrecError, match="holds no export"):
        encode_with_ray(tmp_path / "none", shards, tmp_path / "nothing")
