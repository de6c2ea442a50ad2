"""One log in every known form gives the same searches and actions; what cannot be read is counted."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.data.logs.written import STORY_PLACES, ga4_records, write
from tfrec.config.preparation import CleaningConfig
from tfrec.config.search_log import SearchLogConfig
from tfrec.data.logs.joining import Joined, joined
from tfrec.data.logs.reading import log_rows
from tfrec.data.report import TableReport
from tfrec.errors import DataError

FORMS = ["ubi.ndjson", "ubi-bulk.ndjson", "ubi.parquet", "ga4.ndjson", "ga4.parquet", "table.csv", "table.parquet"]


def read(path: Path, **settings: object) -> tuple[Joined, TableReport]:
    config = SearchLogConfig.model_validate({"path": path.name, **settings})
    report = TableReport("search_log", CleaningConfig())
    rows = pl.concat(list(log_rows(path, config, path.parent, CleaningConfig(), report)))
    low = rows.filter(pl.col("kind") == "shown")["position"].min()
    return joined(rows, config, 1 if low == 1 else 0), report


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same_story(form: str, tmp_path: Path) -> None:
    found, report = read(write(form, tmp_path))
    searches = found.searches.sort("time", "visitor")
    assert [(row["visitor"], row["query"].lower()) for row in searches.iter_rows(named=True)] == [
        ("ann", "red sofa"), ("bob", "red sofa"), ("bob", "lamp"), ("eve", "unicorn"),
    ]  # fmt: skip
    for row in searches.iter_rows(named=True):
        assert row["items"] == STORY_PLACES[(row["visitor"], row["query"].lower())]
        assert row["positions"] == list(range(len(row["items"])))
    by_search = dict(searches.select("search", "query").iter_rows())
    actions = found.actions.sort("time")
    assert [(by_search[row[0]], *row[1:3]) for row in actions.iter_rows()] == [
        ("red sofa", "S2", "click"), ("lamp", "L1", "click"), ("red sofa", "S2", "cart"), ("lamp", "L1", "purchase"),
    ]  # fmt: skip
    assert actions["shown"].all()
    assert actions.filter(pl.col("action") == "purchase")["amount"].to_list() == [49.5]
    assert not found.left_out
    assert report.faulty_rows == 0
    assert searches["session"].n_unique() == 3
    other_lists = [
        kind for kind in report.to_json()["cleaning"] if kind.startswith("items of lists that are no search")
    ]
    assert bool(other_lists) == form.startswith("ga4")


def test_broken_lines_are_counted_by_number_and_cost_nothing_else(tmp_path: Path) -> None:
    path = write("ubi.ndjson", tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    odd = '{"action_name": "click", "client_id": 5, "timestamp": 1735732801000, "event_attributes": "odd"}\n'
    packed = tmp_path / "log.ndjson.gz"
    packed.write_bytes(gzip.compress("".join([lines[0], '{"cut": \n', *lines[1:], odd, "[1]\n"]).encode()))
    found, report = read(packed, actions={"hover": "ignore"})
    assert found.searches.height == 4 and found.actions.height == 4
    first = report.to_json()["faults"]["first"]
    assert [(fault["row"], fault["kind"]) for fault in first] == [
        (2, "unreadable row"), (len(lines) + 3, "unreadable row"), (len(lines) + 2, "empty item_id"),
    ]  # fmt: skip


def test_staff_machines_and_unknown_actions_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        "visitor_id,timestamp,action,query,item_id,position,agent",
        "ann,2025-01-01T10:00:00Z,search,sofa,,,Firefox",
        "ann,2025-01-01T10:00:00Z,impression,sofa,S1,1,Firefox",
        "staff-1,2025-01-01T10:00:00Z,search,sofa,,,Firefox",
        "boss,2025-01-01T10:00:00Z,search,sofa,,,Firefox",
        "x,2025-01-01T10:00:00Z,search,sofa,,,Googlebot/2.1",
        "ann,2025-01-01T10:00:09Z,add2cart,sofa,S1,1,Firefox",
        "ann,2025-01-01T10:00:10Z,wave,sofa,S1,1,Firefox",
        "ann,2025-01-01T10:00:10Z,hover,sofa,S1,1,Firefox",
        "ann,not a time,click,sofa,S1,1,Firefox",
    ]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows))
    found, report = read(
        path,
        actions={"add2cart": "cart", "hover": "ignore"},
        visitors={"leave_out": ["boss", "/staff-.*/"]},
    )
    assert found.searches["visitor"].to_list() == ["ann"]
    assert found.actions["action"].to_list() == ["cart"]
    told = {kind.split(" (")[0]: entry for kind, entry in report.to_json()["cleaning"].items()}
    assert told["rows of people to leave out"]["count"] == 2
    assert told["rows of machines by their browser's name"]["examples"] == ["Googlebot/2.1"]
    assert told["rows of other actions"]["examples"] == ["wave"]
    assert told["rows of actions that the configuration ignores, left out"]["count"] == 1
    assert report.to_json()["faults"]["kinds"] == {"bad timestamp": 1}
    with pytest.raises(DataError, match="is no GA4 log"):
        read(path, kind="ga4")


@pytest.mark.parametrize("items", [[{"item_name": "a sofa"}], None])
def test_an_export_of_ga4_whose_items_have_no_id_is_told(items: Any, tmp_path: Path) -> None:
    records = [{key: value for key, value in record.items() if key != "items"} for record in ga4_records()]
    named = [{**record, "items": items} for record in records] if items else records
    path = tmp_path / "ga4.parquet"
    pl.DataFrame(named, infer_schema_length=None).write_parquet(path)
    with pytest.raises(DataError, match="names no item_id"):
        read(path)


@pytest.mark.parametrize("form", ["ga4.ndjson", "table.csv"])
def test_expressions_are_pythons_and_a_wrong_one_is_told(form: str, tmp_path: Path) -> None:
    path = write(form, tmp_path)
    found, _ = read(path, lists="search(?! nothing)|^$", visitors={"agents": "bot(?!tle)"})
    assert found.searches.height == 4
    wrong = {"lists": "("} if form.startswith("ga4") else {"visitors": {"agents": "("}}
    with pytest.raises(DataError, match=r"data\.search_log\..* '\(' is not a regular expression"):
        read(path, **wrong)
