"""One table written in every format is read as the same rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import polars as pl
import pytest

from tfrec.config import Config, InteractionsConfig, ItemsConfig
from tfrec.data.prepare import prepare
from tfrec.data.tables.read import read_table
from tfrec.data.tables.workbook import read_sheet
from tfrec.errors import DataError

from .workbooks import DATES, write_xlsx

ROWS = [
    {"sku": 17850, "name": 'Sofa, "red"', "tags": ["home", "living room"], "price": 12.5},
    {"sku": 2, "name": "Lampe für Küche\nzwei Zeilen", "tags": [], "price": None},
    {"sku": 3, "name": "沙发 🛋", "tags": ["x"], "price": 3.0},
]
EXPECTED = [
    ("17850", 'Sofa, "red"', "home | living room", 12.5),
    ("2", "Lampe für Küche\nzwei Zeilen", "", None),
    ("3", "沙发 🛋", "x", 3.0),
]


def _flat() -> pl.DataFrame:
    return pl.DataFrame([{**row, "tags": " | ".join(row["tags"])} for row in ROWS])


def _write(path: Path, kind: str) -> None:
    if kind == "csv":
        raw = _flat().write_csv().encode()
    elif kind == "tab.csv":
        raw = _flat().write_csv(separator="\t").encode()
    elif kind == "tsv":
        lines = pl.col(pl.String).str.replace_all("\n", " ")  # which the format cannot hold
        raw = _flat().with_columns(lines).write_csv(separator="\t", quote_style="never").encode()
    elif kind == "semicolon.csv":
        raw = b"\xef\xbb\xbf" + _flat().write_csv(separator=";", line_terminator="\r\n").encode()
    elif kind == "jsonl":
        raw = "".join(json.dumps(row, ensure_ascii=number == 0) + "\n\n" for number, row in enumerate(ROWS)).encode()
    elif kind == "parquet":
        pl.DataFrame(ROWS).write_parquet(path)
        raw = path.read_bytes()
    else:
        raw = _tfrecord(path)
    path.write_bytes(gzip.compress(raw) if path.name.endswith(".gz") else raw)


def _tfrecord(path: Path) -> bytes:
    from tfrec.tensorflow_setup import tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in ROWS:
            example = tf.train.Example()
            feature = example.features.feature
            feature["sku"].int64_list.value.append(row["sku"])
            feature["name"].bytes_list.value.append(row["name"].encode())
            feature["tags"].bytes_list.value.extend(tag.encode() for tag in row["tags"])
            if row["price"] is not None:
                feature["price"].float_list.value.append(row["price"])
            writer.write(example.SerializeToString())
    return path.read_bytes()


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("kind", ["csv", "semicolon.csv", "tab.csv", "tsv", "jsonl", "parquet", "tfrecord"])
def test_every_format_gives_the_same_rows(kind: str, packed: str, tmp_path: Path) -> None:
    _write(tmp_path / f"items.{kind}{packed}", kind)
    columns = {"item_id": "sku", "title": "name", "category": "tags"}
    table = ItemsConfig.model_validate({"path": f"items.{kind}{packed}", "columns": columns})
    batches = list(read_table(table, tmp_path, ("item_id", "title"), ("category", "price", "brand"), "items"))
    frame = pl.concat([batch.frame for batch in batches])
    read = frame.select("item_id", "title", "category", pl.col("price").replace("", None).cast(pl.Float64))
    expected = [tuple(str(v).replace("\n", " ") if n == 1 else v for n, v in enumerate(row)) for row in EXPECTED]
    assert read.rows() == (expected if kind == "tsv" else EXPECTED)
    rows = {"jsonl": [1, 3, 5], "parquet": [1, 2, 3], "tfrecord": [1, 2, 3]}
    assert frame["_row"].to_list() == rows.get(kind, [2, 3, 4])


def test_a_configured_format_beats_the_name(tmp_path: Path) -> None:
    _write(tmp_path / "items.dat", "tsv")
    columns = {"item_id": "sku", "title": "name"}
    table = ItemsConfig.model_validate({"path": "items.dat", "format": "tsv", "columns": columns})
    assert sum(batch.frame.height for batch in read_table(table, tmp_path, ("item_id",), (), "items")) == 3
    looked = list(read_table(table.model_copy(update={"format": "auto"}), tmp_path, ("item_id",), (), "items"))
    assert sum(batch.frame.height for batch in looked) == 3 and "items.dat holds a table of text" in looked[0].notes[0]
    (tmp_path / "items.dat").write_bytes(bytes(range(64)))
    with pytest.raises(DataError, match=r"items.dat: the ending '.dat' is unknown"):
        list(read_table(table.model_copy(update={"format": "auto"}), tmp_path, ("item_id",), (), "items"))


def test_a_glob_reads_all_files_in_order_and_faults_name_the_right_one(
    make_shop: Callable[..., Config], tmp_path: Path
) -> None:
    searches = "query,item_id\nq,A0\nr,B0\n"
    config = make_shop(items={"path": "part-*.csv"}, searches=searches, cleaning={"max_faulty_share": 1})
    (tmp_path / "shop" / "part-1.csv").write_text("item_id,title,brand\nA0,a,x\nA1,a,x\n")
    (tmp_path / "shop" / "part-2.csv").write_text("item_id,title\nB0,b\n,b\n")
    shop = prepare(config)
    assert shop.item_ids == ["A0", "A1", "B0"] and shop.items["brand"].to_list() == ["x", "x", ""]
    assert shop.report["items"]["files"] == ["part-1.csv", "part-2.csv"]
    assert [(fault["file"], fault["row"]) for fault in shop.report["items"]["faults"]["first"]] == [("part-2.csv", 3)]


def test_batches_are_bounded_and_row_numbers_run_through(tmp_path: Path) -> None:
    with (tmp_path / "items.csv").open("w") as output:
        output.write("item_id,title\n")
        output.writelines(f"I{number},{'words ' * 20}{number}\n" for number in range(150_000))
    table = ItemsConfig.model_validate("items.csv")
    frames = [batch.frame for batch in read_table(table, tmp_path, ("item_id", "title"), (), "items")]
    assert len(frames) > 1
    assert pl.concat(frames)["_row"].to_list() == list(range(2, 150_002))


def test_times_of_every_kind_are_unix_seconds(make_shop: Callable[..., Config], tmp_path: Path) -> None:
    moment = datetime(2024, 3, 1, 12, 30, 15, tzinfo=timezone.utc)
    seconds = int(moment.timestamp())
    writings = [
        str(seconds), f"{seconds}.0", str(seconds * 1000), str(seconds * 10**6), str(seconds * 10**9),
        "2024-03-01T12:30:15Z", "2024-03-01 12:30:15", "2024-03-01T14:30:15+02:00", "2024-03-01 12:30:15.250",
        "2024/03/01 12:30:15", "2024-03-01T12:30:15.000Z",
    ]  # fmt: skip
    early = "old,I1,2023-01-01\nold,I2,2023-02-01\n"
    rows = "".join(f"u{number},I1,{text}\n" for number, text in enumerate(writings))
    shop = prepare(make_shop(interactions="user_id,item_id,timestamp\n" + early + rows))
    found = shop.interactions.filter(pl.col("user_id") != "old")["timestamp"].to_list()
    assert found == [seconds] * len(writings)
    frame = pl.DataFrame({"user_id": [1.0], "item_id": ["I1"], "timestamp": [moment.replace(tzinfo=None)]})
    for unit in ("ms", "us", "ns"):
        frame.with_columns(pl.col("timestamp").cast(pl.Datetime(unit))).write_parquet(tmp_path / "t.parquet")
        table = InteractionsConfig.model_validate("t.parquet")
        (batch,) = read_table(table, tmp_path, ("user_id", "item_id", "timestamp"), (), "interactions")
        assert batch.frame.row(0)[:3] == ("1", "I1", str(seconds))


def test_reading_a_workbook(tmp_path: Path) -> None:
    strings = (
        "<si><t>Code</t></si><si><t>When</t></si><si><r><t xml:space='preserve'>rich </t></r><r><t>text</t></r></si>"
    )
    sheet = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="C2" s="1"><v>40513.351388888892</v></c></row>'
        '<row r="3"><c r="A3"><v>85123</v></c></row>'
    )
    path = write_xlsx(tmp_path / "book.xlsx", sheet, strings=strings, styles=DATES)
    frame = read_sheet(path, dates=("When",))
    assert frame.rows() == [("rich text", datetime(2010, 12, 1, 8, 26)), ("85123", None)]
    path.write_bytes(b"PK no workbook")
    with pytest.raises(DataError, match="not a readable workbook"):
        read_sheet(path)
