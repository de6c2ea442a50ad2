"""Kinds of bad input: each gives one clear sentence that names the file and the place, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.errors import DataError

STRICT = {"strict": True}
GOOD = "item_id,title\nI1,one\nI2,two\nI3,three\nI4,four\n"
ASKED = "query,item_id,gain\nq one,I1,1\nq two,I2,1\nq three,I3,1\n"
TAKEN = "user_id,item_id,timestamp\nu,I1,2024-01-01\nu,I2,2024-03-01\nu,I3,2024-05-01\n"


def _gzip(text: str, cut: int) -> bytes:
    return gzip.compress(text.encode() * 50, mtime=0)[:-cut]


def _parquet(frame: pl.DataFrame, cut: int = 0) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()[: len(buffer.getvalue()) - cut]


def _items(content: Any, path: str = "items.csv", **more: Any) -> dict[str, Any]:
    return {"items": {"content": content, "path": path, **more}}


# name: (what is given, words that the message must hold)
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "missing file": (_items(None, "itens.csv"), ["itens.csv", "no file"]),
    "a folder instead of a file": (_items(None, "."), ["is a folder"]),
    "empty file": (_items(""), ["items.csv", "is empty"]),
    "header without rows": (_items("item_id,title\n"), ["items.csv", "no rows"]),
    "unknown ending": (_items("\0\1" + GOOD, "items.xyz"), ["items.xyz", "'.xyz'", "format"]),
    "missing column": (_items("item_id,titel\nI1,one\n"), ["items.csv", "'title'", "item_id, titel", "{title: titel}"]),
    "mapped column missing": (
        _items(GOOD, columns={"brand": "make"}), ["items.csv", "'make'", "item_id, title"]),
    "unknown name in the mapping": (
        {"searches": {"content": ASKED, "columns": {"gian": "gain"}}}, ["data.searches.columns", "'gian'", "'gain'"]),
    "column twice": (_items("item_id,title,title\nI1,a,b\n"), ["items.csv", "'title'", "twice"]),
    "quote never closed": (_items(GOOD + 'I5,"five\nI6,six\nI7,seven\n'), ["items.csv", "row 6", "quote"]),
    "malformed JSON line": (
        _items('{"item_id": 1, "title": "a"}\n{"item_id": 2,\n', "items.jsonl"), ["items.jsonl", "row 2: not JSON"]),
    "JSON list of words": (_items('["item_id", "title"]\n', "items.json"), ["items.json", "entry 1", "str"]),
    "JSON list cut off": (_items('[{"item_id": 1, "title": "a"}, {"it', "items.json"), ["items.json", "entry 2"]),
    "cut-off gzip": (_items(_gzip(GOOD, 30), "items.csv.gz"), ["items.csv.gz", "not whole"]),
    "gzip in name only": (_items(GOOD, "items.csv.gz"), ["items.csv.gz", "not whole"]),
    "not Parquet": (_items(GOOD * 9, "items.parquet"), ["items.parquet", "not a readable Parquet"]),
    "cut-off Parquet": (
        _items(_parquet(pl.DataFrame({"item_id": ["1"], "title": ["a"]}), 9), "items.parquet"), ["items.parquet"]),
    "not a TFRecord": (_items(GOOD * 9, "items.tfrecord"), ["items.tfrecord", "record 1"]),
    "wrong number of fields": (_items(GOOD + "I5,five,5\n", ), ["items.csv", "row 6", "3 fields instead of 2"]),
    "empty item_id": (_items(GOOD + ",five\n"), ["items.csv", "row 6", "item_id is empty"]),
    "missing title": (_items(GOOD + "I5,<br>\n"), ["items.csv", "row 6", "title is empty"]),
    "price that is none": (_items("item_id,title,price\nI1,a,1\nI2,b,abc\n"), ["items.csv", "row 3", "price 'abc'"]),
    "negative price": (_items("item_id,title,price\nI1,a,-3\n"), ["items.csv", "row 2", "'-3' is negative"]),
    "repeated item_id, other content": (_items(GOOD + "I1,another\n"), ["items.csv", "row 6", "'I1'"]),
    "item pattern is no expression": (_items(GOOD, id_pattern="(I"), ["data.items.id_pattern", "'(I'"]),
    "no product left": (_items(GOOD, id_pattern="Z.*"), ["items.csv", "no product left"]),
    "gain outside 0..1": ({"searches": ASKED + "q,I1,-3\n"}, ["searches.csv", "row 5", "gain '-3' is below 0"]),
    "gain is a word": ({"searches": ASKED + "q,I1,Exact\n"}, ["searches.csv", "row 5", "'Exact'", "gains"]),
    "unknown label": (
        {"searches": {"content": "query,item_id,gain\nq,I1,Exact\nr,I2,Good\n", "gains": {"Exact": 1, "Partial": 0.5}}},
        ["searches.csv", "row 3", "'Good'", "Exact, Partial"]),
    "empty query": ({"searches": ASKED + "  ,I1,1\n"}, ["searches.csv", "row 5", "query is empty"]),
    "only unknown items in searches": (
        {"searches": "query,item_id\nq,I9\n"}, ["searches.csv", "catalogue", "data.searches.columns"]),
    "unknown split": (
        {"searches": "query,item_id,split\nq,I1,train\nr,I2,valid\n"}, ["searches.csv", "row 3", "'valid'", "dev"]),
    "query in two splits": (
        {"searches": "query,item_id,split\nRed Sofa,I1,train\nred  sofa,I2,dev\n"}, ["'Red Sofa'", "dev and train"]),
    "bad weight": ({"searches": "query,item_id,weight\nq,I1,-2\n"}, ["searches.csv", "row 2", "weight '-2'"]),
    "bad timestamp": (
        {"interactions": TAKEN + "u,I4,12/1/2010 8:26\n"}, ["interactions.csv", "row 5", "12/1/2010 8:26"]),
    "only unknown items in interactions": (
        {"interactions": "user_id,item_id,timestamp\nu,I9,2024-01-01\n"}, ["interactions.csv", "catalogue"]),
    "events without an event column": (
        {"interactions": {"content": TAKEN, "events": ["purchase"]}}, ["interactions.csv", "'event'"]),
    "no event of that kind": (
        {"interactions": {"content": "user_id,item_id,timestamp,event\nu,I1,2024-01-01,view\n", "events": ["buy"]}},
        ["interactions.csv", "no usable interaction", "view"]),
    "all interactions held out": ({"interactions": TAKEN, "split": {"dev_days": 999}}, ["data.split.dev_days"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_gives_one_clear_sentence(
    kind: str, make_shop: Callable[..., Config], left_over: Callable[[], list[str]]
) -> None:
    given, words = BAD[kind]
    shop = {"items": GOOD, "searches": ASKED, "cleaning": STRICT, **given}
    with pytest.raises(DataError) as caught:
        prepare(make_shop(**shop))
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message and message.endswith(".") and len(message) < 600
    assert left_over() == []


def test_the_good_shop_beside_them_is_accepted(make_shop: Callable[..., Config]) -> None:
    shop = prepare(make_shop(items=GOOD, searches=ASKED, interactions=TAKEN, cleaning=STRICT))
    assert shop.size == 4 and shop.report["items"]["faults"]["count"] == 0


def test_faulty_rows_are_dropped_counted_and_listed(make_shop: Callable[..., Config]) -> None:
    items = GOOD + ",nameless\nI6,\nI7,seven\n" + "".join(f"J{n},more {n}\n" for n in range(20)) + "I1,other\n"
    shop = prepare(make_shop(items=items, searches=ASKED + "q,nowhere,1\n", cleaning={"max_faulty_share": 0.3}))
    faults = shop.report["items"]["faults"]
    assert faults["kinds"] == {"empty item_id": 1, "empty title": 1, "repeated item_id with other content": 1}
    assert {fault["file"] for fault in faults["first"]} == {"items.csv"}
    assert [fault["row"] for fault in faults["first"]] == [6, 7, 29]
    assert shop.item_ids[:5] == ["I1", "I2", "I3", "I4", "I7"] and shop.size == 25
    assert shop.items["title"][0] == "one"
    assert shop.report["searches"]["faults"]["kinds"] == {}, "products leave every catalogue"
    gone = shop.report["searches"]["cleaning"]["rows of products that are not in the catalogue, dropped"]
    assert gone == {"count": 1, "examples": ["nowhere"]} and shop.report["searches"]["rows_gone"] == 1


def test_too_many_faulty_rows_stop_with_their_number(make_shop: Callable[..., Config]) -> None:
    items = GOOD + "".join(f"J{n},\n" for n in range(96))
    message = r"items.csv: 96 of 100 rows are faulty .*row 6: title is empty.*max_faulty_share"
    with pytest.raises(DataError, match=message):
        prepare(make_shop(items=items, searches=ASKED))
    relaxed = make_shop(items=items, searches=ASKED, cleaning={"max_faulty_share": 1})
    assert prepare(relaxed).report["items"]["faults"]["kinds"]["empty title"] == 96


def test_only_twenty_faults_are_listed(make_shop: Callable[..., Config]) -> None:
    items = GOOD + "".join(f"J{n},\n" for n in range(30))
    faults = prepare(make_shop(items=items, searches=ASKED, cleaning={"max_faulty_share": 1})).report["items"]["faults"]
    assert faults["count"] == 30 and len(faults["first"]) == 20


def test_row_numbers_are_right_across_skipped_rows_and_line_breaks(make_shop: Callable[..., Config]) -> None:
    items = 'item_id,title\nI1,"two\nlines"\nI2,x,y\n\nI3,three\n,five\n'
    shop = prepare(make_shop(items=items, searches="query,item_id\nq,I1\nr,I3\n", cleaning={"max_faulty_share": 1}))
    found = {(fault["row"], fault["kind"]) for fault in shop.report["items"]["faults"]["first"]}
    assert found == {(3, "unreadable row"), (6, "empty item_id")}  # records; the blank one is number 4
    assert shop.items["title"].to_list() == ["two lines", "three"]


def test_tfrecord_cut_off(make_shop: Callable[..., Config], tmp_path: Any) -> None:
    from tfrec.tensorflow_setup import tf

    path = tmp_path / "whole.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for n in range(5):
            example = tf.train.Example()
            example.features.feature["item_id"].int64_list.value.append(n)
            example.features.feature["title"].bytes_list.value.append(b"title")
            writer.write(example.SerializeToString())
    raw = path.read_bytes()
    for cut in np.linspace(1, len(raw) // 5 - 1, 4).astype(int):
        with pytest.raises(DataError, match=r"items.tfrecord, record 5: the file is cut off"):
            prepare(make_shop(items={"content": raw[:-cut], "path": "items.tfrecord"}, searches="query,item_id\nq,1\n"))
