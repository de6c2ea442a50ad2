"""JSON, Parquet, workbooks and feeds as shops have them, with values that are nested or none."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tfrec.errors import DataError

from ..workbooks import DATES, write_xlsx
from .reading import read

LAMPS = [("1", "red lamp"), ("2", "plain stool")]
OBJECTS = [{"item_id": 1, "title": "red lamp"}, {"item_id": 2, "title": "plain stool"}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("wrapped", [False, True])
def test_json_lists_are_rows(indent: int | None, wrapped: bool, tmp_path: Path) -> None:
    content = json.dumps({"count": 2, "products": OBJECTS} if wrapped else OBJECTS, indent=indent)
    found = read(tmp_path / "a.json", content)
    if wrapped and indent is None:
        assert found.rows == LAMPS and "'products'" in found.notes[0]
    else:
        assert found.rows == LAMPS and found.notes


def test_objects_over_several_lines_are_rows(tmp_path: Path) -> None:
    content = "\n".join(json.dumps(row, indent=1) for row in OBJECTS)
    assert read(tmp_path / "a.json", content).rows == LAMPS


def test_a_long_json_list_is_a_stream(tmp_path: Path) -> None:
    rows = [(str(n), f"lamp {n} " + "é" * 300) for n in range(9_000)]
    content = json.dumps([{"item_id": item, "title": title} for item, title in rows], ensure_ascii=False)
    assert len(content) > 2 << 20 and read(tmp_path / "a.json", content).rows == rows


@pytest.mark.parametrize("indent", [None, 1])
def test_objects_by_their_ids_are_rows(indent: int | None, tmp_path: Path) -> None:
    store = {f"P{n}": {"title": f"lamp {n}", "price": n} for n in range(4)}
    found = read(tmp_path / "a.json", json.dumps(store, indent=indent), columns={"item_id": "id"})
    assert found.rows == [(f"P{n}", f"lamp {n}") for n in range(4)]
    assert "their keys the column 'id'" in found.notes[0]
    settings = {"title": {"de": "a"}, "more": {"de": "b"}, "item_id": {"de": "c"}}
    assert read(tmp_path / "a.json", json.dumps(settings)).read == 1


def test_dicts_of_python_are_rows(tmp_path: Path) -> None:
    lines = [
        "{'item_id': 1, 'title': 'red \"lamp\"', 'tags': None}",
        "{'item_id': 2, 'title': \"it's\", 'tags': ['a', True]}",
    ]
    content = "\n".join(lines)
    found = read(tmp_path / "a.jsonl", content, ("item_id", "title", "tags"))
    assert found.rows == [("1", 'red "lamp"', ""), ("2", "it's", "a true")] and "Python" in found.notes[0]
    odd = "{'item_id': 1, 'title': 'a'}\n{'item_id': __import__('os').getpid(), 'title': 'b'}\n"
    assert read(tmp_path / "a.jsonl", odd).rejected == [(2, "no dict of Python, as the lines before are")]


def test_action_lines_of_a_bulk_file_are_passed_over(tmp_path: Path) -> None:
    content = "".join(f'{{"index": {{"_id": "x"}}}}\n{json.dumps(row)}\n' for row in OBJECTS)
    found = read(tmp_path / "a.ndjson", content)
    assert found.rows == LAMPS and "bulk file" in found.notes[0]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("mark", [".", "/"])
def test_nested_values_are_named_by_their_path(kind: str, mark: str, tmp_path: Path) -> None:
    rows = [
        {"item_id": "1", "doc": {
            "name": "red lamp", "offer": {"price": 12.5}, "tags": ["a", None, "b"], "parts": [{"n": "x"}, {"n": "y"}],
        }},
        {"item_id": "2", "doc": {"name": None, "offer": None, "tags": [], "parts": []}},
    ]  # fmt: skip
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pl.DataFrame([{**row, "doc": json.dumps(row["doc"])} for row in rows]).write_csv(path)
    columns = {
        "title": "doc.name",
        "price": "doc.offer.price",
        "category": "doc.tags",
        "brand": "doc.parts.n",
        "color": "doc.tags.2",
    }
    columns = {name: place.replace(".", mark) for name, place in columns.items()}
    found = read(path, None, ("item_id", *columns), columns=columns)
    assert found.rows == [("1", "red lamp", "12.5", "a | b", "x y", "b"), ("2", "", "", "", "", "")]


def test_no_value_in_a_parquet_struct_is_no_word(tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["1"], "title": ["t"], "more": [{"brand": None, "made": "oak"}]}).write_parquet(
        tmp_path / "a.parquet"
    )
    assert read(tmp_path / "a.parquet", None, ("item_id", "more")).rows == [("1", '{"made": "oak"}')]
    content = '{"item_id": 1, "more": {"brand": null, "made": "oak", "deep": {"x": null}}}\n'
    assert read(tmp_path / "a.jsonl", content, ("item_id", "more")).rows == [("1", '{"deep": {}, "made": "oak"}')]


def test_every_type_of_parquet_is_read(tmp_path: Path) -> None:
    moment = datetime(2024, 3, 1, 12, 30, tzinfo=timezone.utc)
    table = pa.table({
        "item_id": pa.array(["1", "2"]),
        "lists": pa.array([[["a"], ["b", "c"]], None], pa.list_(pa.list_(pa.string()))),
        "map": pa.array([[("made", "oak"), ("old", None)], []], pa.map_(pa.string(), pa.string())),
        "structs": pa.array([[{"n": "x", "m": None}], None], pa.list_(pa.struct({"n": pa.string(), "m": pa.int8()}))),
        "took": pa.array([timedelta(hours=1), None], pa.duration("s")),
        "at": pa.array([moment, None], pa.timestamp("us", tz="UTC")),
        "clock": pa.array([moment.time(), None], pa.time64("us")),
        "flag": pa.array([True, None]),
        "word": pa.array(["a", "b"]).dictionary_encode(),
        "money": pa.array([None, 1], pa.decimal128(9, 2)),
        "bytes": pa.array([b"caf\xc3\xa9", None], pa.binary()),
        "nothing": pa.nulls(2),
        "large": pa.array(["x", None], pa.large_string()),
        "fixed": pa.array([[1, 2], None], pa.list_(pa.int32(), 2)),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet", None, tuple(table.column_names)).rows
    assert first[:5] == ("1", "a b c", '{"made": "oak"}', '{"n": "x"}', "3600.0")
    assert first[5].startswith("2024-03-01 12:30:00") and first[6] == "12:30:00"
    assert first[7:] == ("true", "a", "", "café", "", "x", "1 2")
    assert second == ("2", "", "", "", "", "", "", "", "b", "1.00", "", "", "", "")


def test_texts_of_parquet_that_are_none_are_told_by_row(tmp_path: Path) -> None:
    for kind in (pa.binary(), pa.string()):
        raw = pa.array([b"a", b"caf\xe9"], pa.binary())
        values = pa.Array.from_buffers(kind, 2, raw.buffers()) if kind == pa.string() else raw
        pq.write_table(pa.table({"item_id": pa.array(["1", "2"]), "title": values}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=r"a.parquet, row 2: column 'title' is not UTF-8"):
            read(tmp_path / "a.parquet")


SHEET = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>item_id</t></is></c><c r="B1" t="inlineStr"><is><t> title </t></is></c>'
    '<c r="C1" t="inlineStr"><is><t>when</t></is></c><c r="D1"/></row>'
    '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>red lamp</t></is></c>'
    '<c r="C2" s="1"><v>43709.5</v></c></row>'
    '<row r="4"><c r="A4"><v>2</v></c><c r="B4" t="inlineStr"><is><t>plain stool</t></is></c></row>'
)


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.xls", "a"])
def test_a_workbook_is_one_whatever_its_name(name: str, tmp_path: Path) -> None:
    write_xlsx(tmp_path / name, "", SHEET, styles=DATES)
    found = read(tmp_path / name, None, ("item_id", "title", "when"))
    assert found.rows == [("1", "red lamp", "2019-09-01 12:00:00"), ("2", "plain stool", "")]
    assert any("sheet 'Sheet2'" in note for note in found.notes)
    assert any("holds a workbook" in note for note in found.notes) == (name in ("a.csv", "a"))
    with pytest.raises(DataError, match="has no sheet 'Other'; it has Sheet1, Sheet2"):
        read(tmp_path / name, None, sheet="Other")


def test_an_old_workbook_under_a_csv_name(tmp_path: Path) -> None:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Products")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for row, cells in enumerate(
        (("item_id", "title", "when", ""), (1, "red lamp", 43709, 5), (2.0, "plain stool", "", ""))
    ):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell, day if cell == 43709 else xlwt.Style.default_style)
    book.save(str(tmp_path / "a.csv"))
    found = read(tmp_path / "a.csv", None, ("item_id", "title", "when"))
    assert [row[:2] for row in found.rows] == LAMPS and found.rows[0][2].startswith("2019-09-01")
    assert "a.csv holds a workbook, whatever its name says" in found.notes[0]


def test_a_table_of_text_called_xls_is_read_and_a_web_page_refused(tmp_path: Path) -> None:
    found = read(tmp_path / "a.xls", "item_id\ttitle\n1\tred lamp\n2\tplain stool\n")
    assert found.rows == LAMPS and "a.xls holds a table of text" in found.notes[0]
    with pytest.raises(DataError, match="is a web page and no table"):
        read(tmp_path / "a.xls", "<html><table><tr><td>1</td></tr></table></html>")


RSS = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>shop</title>
<item><g:id>1</g:id><title><![CDATA[red <b>lamp</b>]]></title><g:price>12.50 EUR</g:price>
 <g:additional_image_link>a.jpg</g:additional_image_link><g:additional_image_link>b.jpg</g:additional_image_link>
 <g:shipping><g:country>DE</g:country><g:price>4 EUR</g:price></g:shipping></item>
<item><g:id>2</g:id><title>红色 &amp; küche</title></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>shop</title>
<entry><g:id>1</g:id><title>red lamp</title><link href="http://x/1"/></entry>
<entry><g:id>2</g:id><title>plain stool</title></entry></feed>"""
PLAIN = """<SHOP><SHOPITEM id="7"><ITEM_ID>1</ITEM_ID><PRODUCT>red lamp</PRODUCT></SHOPITEM>
<SHOPITEM><ITEM_ID>2</ITEM_ID><PRODUCT>plain stool</PRODUCT></SHOPITEM></SHOP>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_feed_of_google_merchant(encoding: str, tmp_path: Path) -> None:
    columns = {
        "item_id": "g:id",
        "price": "g:price",
        "image": "g:additional_image_link",
        "brand": "g:shipping/g:country",
    }
    content = RSS.format(encoding=encoding).encode(encoding)
    found = read(tmp_path / "a.xml", content, ("item_id", "title", "price", "image", "brand"), columns=columns)
    assert found.rows == [("1", "red <b>lamp</b>", "12.50 EUR", "a.jpg b.jpg", "DE"), ("2", "红色 & küche", "", "", "")]


def test_other_feeds(tmp_path: Path) -> None:
    columns = {"item_id": "g:id", "image": "link"}
    found = read(tmp_path / "a.atom", ATOM, ("item_id", "title", "image"), columns=columns)
    assert found.rows == [("1", "red lamp", "http://x/1"), ("2", "plain stool", "")]
    found = read(tmp_path / "a.xml", PLAIN, columns={"item_id": "ITEM_ID", "title": "PRODUCT"})
    assert found.rows == LAMPS and "'SHOPITEM'" in found.notes[0]
    with pytest.raises(DataError, match="not whole XML"):
        read(tmp_path / "a.xml", ATOM[:-20], columns=columns)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + PLAIN.replace("red", "&b;")
    with pytest.raises(DataError, match="declares entities"):
        read(tmp_path / "a.xml", bomb)


def test_a_long_feed_is_a_stream(tmp_path: Path) -> None:
    rows = [(str(n), f"lamp {n}") for n in range(45_000)]
    items = "".join(f"<item><g:id>{item}</g:id><title>{title}</title></item>\n" for item, title in rows)
    content = f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'
    assert read(tmp_path / "a.xml", content, columns={"item_id": "g:id"}).rows == rows
