"""Ids are texts, byte for byte but for the blanks around them, in every format and every table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.tf_examples import example_of
from tfrec.config import Config, TableConfig
from tfrec.data.ids import END_OF_ID, id_list_text, id_text, ids_of
from tfrec.data.prepare import prepare
from tfrec.data.tables.read import read_table
from tfrec.data.tables.workbook import read_sheet
from tfrec.errors import DataError

from .workbooks import write_xlsx

ODD = [
    "1",
    "1.0",
    "2.00",
    "02",
    "-3.0",
    "1e3",
    "A B",
    "ﬁ",
    "&amp;",
    "é",
    "e\u0301",
    "nil",
    "Nan Desu",
    "true",
    "\u200bx",
    '"q',
]


def read(path: Path, *columns: str) -> list[tuple[str, ...]]:
    table = TableConfig(path=path.name, format="auto", columns={})
    frames = [batch.frame for batch in read_table(table, path.parent, columns, (), "items")]
    return pl.concat(frames).select(columns).rows()


def write(path: Path, frame: pl.DataFrame) -> Path:
    kind = path.suffix
    if kind == ".csv":
        frame.write_csv(path)
    elif kind == ".tsv":
        frame.write_csv(path, separator="\t", quote_style="never")
    elif kind == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.iter_rows(named=True)), "utf-8")
    elif kind == ".parquet":
        frame.write_parquet(path)
    else:
        from tfrec.tensorflow_setup import tf

        with tf.io.TFRecordWriter(str(path)) as writer:
            for row in frame.iter_rows(named=True):
                writer.write(example_of(row).SerializeToString())
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "tfrecord"])
def test_text_ids_stay_as_they_are(kind: str, tmp_path: Path) -> None:
    ids = {name: [f" {text}\u3000" for text in ODD] for name in ("item_id", "user_id", "query_id", "order_id")}
    path = write(tmp_path / f"t.{kind}", pl.DataFrame(ids))
    assert read(path, *ids) == [(text,) * 4 for text in ODD]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "tfrecord"])
def test_numbers_as_ids_have_one_text_form(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"n.{kind}", pl.DataFrame({"item_id": [2.0, 17850.0, -1.0, 2.5], "user_id": [1, 2, 3, 4]}))
    assert read(path, "item_id", "user_id") == [("2", "1"), ("17850", "2"), ("-1", "3"), ("2.5", "4")]


def test_decimals_and_missing_numbers_of_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": [1.0, None, float("nan")], "user_id": ["7.00", "8.00", "9.50"]})
    path = write(tmp_path / "d.parquet", frame.with_columns(pl.col("user_id").cast(pl.Decimal(10, 2))))
    assert read(path, "item_id", "user_id") == [("1", "7"), ("", "8"), ("", "9.50")]


@pytest.mark.parametrize("kind", [pl.Float64, pl.Float32])
def test_floats_that_lost_an_ids_digits_are_refused(kind: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": [1.0, 12345678901234567890.0]}).with_columns(pl.col("item_id").cast(kind))
    with pytest.raises(DataError, match=r"f.parquet: column 'item_id' holds ids as floating-point.*write them as text"):
        read(write(tmp_path / "f.parquet", frame), "item_id")


def test_numbers_of_a_workbook_are_whole_and_its_texts_are_kept(tmp_path: Path) -> None:
    cells = '<c r="A2"><v>2.0</v></c><c r="B2" t="inlineStr"><is><t>2.00</t></is></c>'
    head = '<c r="A1" t="inlineStr"><is><t>code</t></is></c><c r="B1" t="inlineStr"><is><t>item_id</t></is></c>'
    write_xlsx(tmp_path / "w.xlsx", f'<row r="1">{head}</row><row r="2">{cells}</row>')
    assert read_sheet(tmp_path / "w.xlsx").rows() == [("2", "2.00")]


def test_a_shop_whose_ids_differ_by_their_zeros_only(make_shop: Callable[..., Config]) -> None:
    items = "item_id,title\n1,red lamp\n1.0,blue lamp\n2,green lamp\n2.00,old lamp\n002,new lamp\n"
    searches = "query,item_id\n" + "".join(
        f"{words},{item}\n" for words, item in [("blue", "1.0"), ("red", " 1"), ("old", "2.00 "), ("new", "002")]
    )
    taken = "user_id,item_id,timestamp\n1.0,1.0,2024-01-01\n1,2.00,2024-01-02\n1,002,2024-01-03\n"
    shop = prepare(make_shop(items=items, searches=searches, interactions=taken, split={"dev_days": 0}))
    assert shop.item_ids == ["1", "1.0", "2", "2.00", "002"]
    titles = dict(zip(shop.item_ids, shop.items["title"], strict=True))
    found = {row["query"]: titles[row["item_id"]] for row in shop.searches.iter_rows(named=True)}
    assert found == {"blue": "blue lamp", "red": "red lamp", "old": "old lamp", "new": "new lamp"}
    bought = shop.interactions.select("user_id", "item_id").rows()
    assert sorted(bought) == [("1", "002"), ("1", "2.00"), ("1.0", "1.0")]


def test_ids_that_a_spreadsheet_turned_into_numbers_are_told(
    make_shop: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    items = "item_id,title\n17,lamp\n18,sofa\n"
    with pytest.raises(DataError, match=r"none of its rows names an item of the catalogue \(2 name others\)"):
        prepare(make_shop(items=items, searches="query,item_id\nlamp,17.0\nsofa,18.0\n"))
    assert "differ in a point and zeros, as '17' from '17.0' here" in capsys.readouterr().err


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=END_OF_ID)), max_size=6))
@settings(deadline=None)
def test_a_list_of_ids_survives_its_way_through_a_text(ids: list[str]) -> None:
    assert ids_of(id_list_text(ids)) == [text.strip() for text in ids if text.strip()]


def test_the_text_form_of_json_values() -> None:
    assert [id_text(value) for value in (2, 2.0, -0.0, 1.5, "2.00", None, True, [3.0, "a"])] == [
        "2", "2", "0", "1.5", "2.00", "", "true", "3 a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line", ['{"item_id": "1", "title": "a", "item_id": "2"}', '{"item_id": "1", "x": {"a": 1, "a": 2}}']
)
def test_a_key_that_comes_twice_in_a_json_row_is_an_error(line: str, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"item_id": "0", "title": "z"}\n' + line + "\n")
    with pytest.raises(DataError, match=r"t.jsonl, line 2 has the key '(item_id|a)' twice"):
        read(tmp_path / "t.jsonl", "item_id")


def test_texts_of_parquet_that_are_not_utf8_are_named_and_not_emptied(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": ["1", "2"], "title": [b"a", b"caf\xe9"]})
    with pytest.raises(DataError, match=r"b.parquet, row 2: column 'title' is not UTF-8"):
        read(write(tmp_path / "b.parquet", frame), "item_id", "title")
