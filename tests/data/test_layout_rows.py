"""Joins, lists, long tables, variants and weights by themselves: nothing is lost without being counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tfrec.config import parse_config
from tfrec.data.discovery.understood import Understood, understand
from tfrec.data.shopper_examples import ShopperExamples
from tfrec.errors import ConfigError, DataError

ITEMS = "id,name\n1,lamp\n2,chair\n3,table\n"
LINES = "order,product,n\n7,1,2\n7,2,1\n8,3,1\n9,1,1\n"
ORDERS = "no,customer,at\n7,ann,2024-01-05\n8,bob,2024-02-05\n8,eve,2024-02-06\n"


def read(root: Path, **data: Any) -> Understood:
    return understand(parse_config({"data": {"root": str(root), **data}}).data, root)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in (("items.csv", ITEMS), ("lines.csv", LINES), ("orders.csv", ORDERS)):
        (tmp_path / name).write_text(text)
    return tmp_path


CATALOGUE = {"path": "items.csv", "columns": {"item_id": "id", "title": "name"}}
JOIN = {"path": "orders.csv", "on": {"order": "no"}, "columns": {"user_id": "customer", "timestamp": "at"}}


def test_a_join_counts_rows_without_partner_and_repeated_keys(shop: Path) -> None:
    lines = {"path": "lines.csv", "columns": {"item_id": "product", "quantity": "n"}, "join": JOIN}
    found = read(shop, items=CATALOGUE, interactions=lines)
    rows = found.frames["interactions"].select("user_id", "item_id", "quantity").rows()
    assert rows == [("ann", "1", 2.0), ("ann", "2", 1.0), ("bob", "3", 1.0)]
    told = found.reports["interactions"].to_json()
    assert "1 of 4 rows have no partner in orders.csv, as '9'" in told["notes"]
    assert "1 rows of orders.csv repeat a key with other content: the first one counts" in told["notes"]
    assert told["cleaning"]["rows without a user_id, dropped"]["count"] == 1


def test_a_joined_table_can_have_joins_and_filters_of_its_own(shop: Path) -> None:
    (shop / "people.csv").write_text("code,mail,land\nann,a@x.org,AT\nbob,b@x.org,DE\n")
    inner = {"path": "people.csv", "on": {"customer": "code"}, "columns": {"user_id": "mail", "segment": "land"}}
    outer = {"path": "orders.csv", "on": {"order": "no"}, "columns": {"timestamp": "at"}, "join": inner}
    lines = {"path": "lines.csv", "columns": {"item_id": "product"}, "join": {**outer, "where": {"customer": "ann"}}}
    frame = read(shop, items=CATALOGUE, interactions=lines).frames["interactions"]
    assert frame.select("user_id", "segment").unique().rows() == [("a@x.org", "AT")]


def test_a_join_that_adds_nothing_or_misses_its_key_is_told(shop: Path) -> None:
    lines = {"path": "lines.csv", "columns": {"item_id": "product"}}
    with pytest.raises(DataError, match=r"data.interactions.join of orders.csv adds no column"):
        read(shop, items=CATALOGUE, interactions={**lines, "join": {"path": "orders.csv", "on": "order"}})
    with pytest.raises(DataError, match=r"orders.csv has no column 'order'"):
        read(shop, items=CATALOGUE, interactions={**lines, "join": {**JOIN, "on": "order"}})
    with pytest.raises(ConfigError, match="on is missing"):
        read(shop, items=CATALOGUE, interactions={**lines, "join": {"path": "orders.csv"}})


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lists_of_objects_become_rows_and_empty_lists_are_no_loss(shop: Path, kind: str) -> None:
    sessions = [
        {"who": "ann", "seen": [{"what": 1, "at": 1700000000}, {"what": 2, "at": 1700000100}]},
        {"who": "bob", "seen": []},
        {"who": "eve", "seen": [{"what": 3, "at": 1700000200}]},
    ]
    if kind == "jsonl":
        (shop / "log.jsonl").write_text("".join(json.dumps(session) + "\n" for session in sessions))
    else:
        pl.DataFrame(sessions).write_parquet(shop / "log.parquet")
    columns = {"user_id": "who", "item_id": "seen.what", "timestamp": "seen.at"}
    log = {"path": f"log.{kind}", "explode": "seen", "columns": columns}
    found = read(shop, items=CATALOGUE, interactions=log)
    assert found.frames["interactions"].select("user_id", "item_id").rows() == [
        ("ann", "1"),
        ("ann", "2"),
        ("eve", "3"),
    ]
    assert found.reports["interactions"].rows_read == 4
    assert found.reports["interactions"].faulty_rows == 0
    changes = found.reports["interactions"].to_json()["cleaning"]
    assert changes["rows without an item in seen, dropped"]["count"] == 1
    with pytest.raises(DataError, match=r"items.csv is no JSON or Parquet"):
        read(shop, items={**CATALOGUE, "explode": "seen"})


def test_exploded_rows_of_one_id_are_not_lost_in_silence(shop: Path) -> None:
    sizes = [{"id": 1, "title": "shirt", "sizes": [{"price": 5}, {"price": 7}]}]
    (shop / "sizes.jsonl").write_text("".join(json.dumps(size) + "\n" for size in sizes))
    table = {"path": "sizes.jsonl", "explode": "sizes", "columns": {"item_id": "id", "price": "sizes.price"}}
    assert read(shop, items=table).reports["items"].faulty_rows == 1
    folded = read(shop, items={**table, "variants": {}})
    assert folded.frames["items"].select("price", "price_to").rows() == [(5.0, 7.0)]


def test_columns_made_of_others(shop: Path) -> None:
    (shop / "bare.csv").write_text("id,make,kind\n1,Acme,lamp\n2,,chair\n3,Acme,\n")
    columns = {"item_id": "id", "title": "{make} {kind|id}"}
    titles = read(shop, items={"path": "bare.csv", "columns": columns}).frames["items"]["title"].to_list()
    assert titles == ["Acme lamp", "chair", "Acme 3"]
    with pytest.raises(DataError, match="bare.csv has no column 'model'"):
        read(shop, items={"path": "bare.csv", "columns": {"item_id": "id", "title": "{model}"}})


def test_variants_of_a_parent_without_row_and_ids_that_name_several(shop: Path) -> None:
    text = "sku,parent,name,size,price,ean\nA-S,A,Shirt S,S,5.00,1\nA-M,A,Shirt M,M,7.50,2\nB,,Hat,,3.00,2\n"
    (shop / "sizes.csv").write_text(text)
    table = {
        "path": "sizes.csv", "columns": {"item_id": "sku", "title": "name"}, "aliases": ["ean"],
        "variants": {"parent": "parent", "options": ["size"]},
    }  # fmt: skip
    (shop / "bought.csv").write_text(
        "user_id,item_id,timestamp\nann,A-M,2024-01-01\nann,1,2024-01-02\nann,2,2024-01-03\n"
    )
    found = read(shop, items=table, interactions="bought.csv")
    rows = found.frames["items"].select("item_id", "title", "price", "price_to", "options").rows()
    assert rows == [("A-S", "Shirt S", 5.0, 7.5, "S M"), ("B", "Hat", 3.0, None, "")]
    assert found.frames["interactions"]["item_id"].to_list() == ["A-S", "A-S"]
    told = found.reports["items"].to_json()
    assert told["cleaning"]["rows of variants, folded into their product"]["count"] == 1
    assert any("1 products have no row of their own" in note for note in told["notes"])
    assert any("1 other ids name several products" in note for note in told["notes"])
    assert found.reports["interactions"].rows_gone == 1


def test_weights_of_events_and_ratings_reach_the_examples(shop: Path) -> None:
    (shop / "log.csv").write_text(
        "user_id,item_id,timestamp,event\na,1,2024-01-01,view\na,2,2024-01-02,view\na,2,2024-01-03,buy\n"
        "a,3,2024-01-04,view\na,3,2024-01-05,zoom\n"
    )
    log = {"path": "log.csv", "events": {"view": 1, "buy": 4}}
    found = read(shop, items=CATALOGUE, interactions=log)
    assert found.frames["interactions"]["weight"].to_list() == [1, 1, 4, 1]
    train = found.frames["interactions"].with_columns(pl.lit("train").alias("split"))
    (examples,) = ShopperExamples([train], shop / "examples", 20, 50, 0)
    assert examples["item"].to_list() == [1, 2]
    assert examples["weight"].to_list() == pytest.approx([1.6, 0.4])  # 4 and 1, one on average
    (shop / "rated.csv").write_text(
        "user_id,item_id,timestamp,rating\na,1,2024-01-01,5\na,2,2024-01-02,2\na,3,2024-01-03,x\n"
    )
    rated = read(
        shop, items=CATALOGUE, interactions={"path": "rated.csv", "min_rating": 4}, cleaning={"max_faulty_share": 1}
    )
    assert rated.frames["interactions"].select("item_id", "weight").rows() == [("1", 5.0)]
    assert rated.reports["interactions"].faulty_rows == 1


def test_the_order_of_rows_stands_for_times_and_it_is_said(shop: Path) -> None:
    (shop / "log.csv").write_text("user_id,item_id\n" + "".join(f"a,{1 + n % 3}\n" for n in range(20)) + "b,1\nb,2\n")
    found = read(shop, items=CATALOGUE, interactions={"path": "log.csv", "order_is_time": True})
    frame = found.frames["interactions"]
    assert frame.height == 22
    late = frame.filter(pl.col("timestamp") > frame["timestamp"].max() - 30 * 86400)  # type: ignore[operator]
    assert dict(late["user_id"].value_counts().iter_rows()) == {"a": 2, "b": 1}
    assert any("no times" in note for note in found.reports["interactions"].notes)


def test_of_alternatives_a_long_table_needs_one(shop: Path) -> None:
    (shop / "long.csv").write_text("id,property,value\n1,name,red lamp\n2,kind,chair\n")
    pivot = {"id": "id", "name": "property", "value": "value"}
    table = {"path": "long.csv", "pivot": pivot, "columns": {"title": "{short|name|kind}"}}
    assert read(shop, items=table).frames["items"]["title"].to_list() == ["red lamp", "chair"]
    with pytest.raises(DataError, match="has no property 'short'"):
        read(shop, items={**table, "columns": {"title": "{short}"}})
