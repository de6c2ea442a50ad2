"""Vectors of a whole table: the same files whatever the shards, and wherever a process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.export.conftest import texts_of
from tfrec.errors import ConfigError, DataError
from tfrec.export.encoded import Encoding, encode_table

ROWS = 50


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("table") / "items.csv"
    texts = [*texts_of(ROWS - 1), ""]
    pl.DataFrame({"item_id": [f"i{row}" for row in range(ROWS)], "text": texts}).write_csv(file)
    return file


def encoded(loaded: Any, table: Path, folder: Path, number: int = 0, count: int = 1, **more: Any) -> Any:
    return encode_table(loaded, Encoding(table, "item_id", "text", number=number, count=count, rows=16, **more), folder)


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_shards_write_the_files_of_one_process(loaded: Any, table: Path, tmp_path: Path) -> None:
    done = encoded(loaded, table, tmp_path / "one")
    assert (done.rows, done.parts, done.found) == (ROWS, 4, 0)
    for number in (1, 0):
        encoded(loaded, table, tmp_path / "two", number, 2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    again = encoded(loaded, table, tmp_path / "one")
    assert (again.rows, again.parts, again.found) == (0, 4, 4)
    found = pl.read_parquet(tmp_path / "one" / "*.parquet")
    texts = pl.read_csv(table)["text"].fill_null("").to_list()
    assert found["id"].to_list() == [f"i{row}" for row in range(ROWS)]
    np.testing.assert_allclose(found["vector"].to_numpy(), loaded.embed_item(texts), atol=1e-5)


def test_only_changed_parts_are_made_again(loaded: Any, table: Path, tmp_path: Path) -> None:
    changed, folder = tmp_path / "items.csv", tmp_path / "vectors"
    frame = pl.read_csv(table)
    frame.write_csv(changed)
    encoded(loaded, changed, folder)
    (folder / "part-000003.parquet").write_bytes(b"half a fi")
    pl.concat([frame[:20], frame[:1].with_columns(text=pl.lit("oak bed")), frame[21:]]).write_csv(changed)
    done = encoded(loaded, changed, folder)
    assert (done.rows, done.found) == (16 + 2, 2)
    frame[:20].write_csv(changed)
    encoded(loaded, changed, folder)
    assert list(files(folder)) == ["part-000000.parquet", "part-000001.parquet"]


def test_queries_and_halves(loaded: Any, table: Path, tmp_path: Path) -> None:
    encoded(loaded, table, tmp_path, kind="query", halves=True)
    found = pl.read_parquet(tmp_path / "*.parquet")["vector"].to_numpy()
    texts = pl.read_csv(table)["text"].fill_null("").to_list()
    np.testing.assert_allclose(found.astype(np.float32), loaded.embed_query(texts), atol=2e-3)


def test_wrong_wishes_are_told(loaded: Any, table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="i from 0 to n - 1, not 2/2"):
        Encoding(table, "item_id", "text", number=2, count=2)
    with pytest.raises(DataError, match="words"):
        encode_table(loaded, Encoding(table, "item_id", "words"), tmp_path)


@pytest.mark.slow
def test_killed_processes_leave_the_same_bytes(exported: Path, loaded: Any, tmp_path: Path) -> None:
    table = tmp_path / "items.parquet"
    texts = texts_of(5000)
    pl.DataFrame({"item_id": [f"i{row}" for row in range(5000)], "text": texts}).write_parquet(table)
    encode_table(loaded, Encoding(table, "item_id", "text", rows=100), tmp_path / "whole")
    program = (
        "import sys; from pathlib import Path; from tfrec.export.encoded import *; "
        "encode_table(LoadedModel.open(sys.argv[1]), Encoding(Path(sys.argv[2]), 'item_id', 'text', rows=100), "
        "Path(sys.argv[3]))"
    )
    killed, whole, made = 0, files(tmp_path / "whole"), tmp_path / "made"
    while True:
        running = subprocess.Popen(
            [sys.executable, "-c", program, str(exported), str(table), str(made)], env=os.environ
        )
        before = len(list(made.glob("part-*"))) if made.is_dir() else 0
        while running.poll() is None and (not made.is_dir() or len(list(made.glob("part-*"))) < before + 15):
            time.sleep(0.01)
        if running.poll() is not None:
            break
        running.send_signal(signal.SIGKILL)
        running.wait()
        killed += 1
    assert running.returncode == 0 and killed >= 2 and files(made) == whole
