"""Ratings of Quepid, RRE and TREC, read from the forms that these tools write."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tfrec.data.judging.ratings import read_ratings
from tfrec.errors import DataError

QUEPID = 'query,docid,rating\nlamp,L-1,3\n"red, sofa",S-1,0\nunrated\n'
QUEPID_JSON = {"queries": [{"query": "lamp", "ratings": {"L-1": 3, "L-2": 1}}, {"query": "unrated", "ratings": {}}]}
QUEPID_CASE = {"case_name": "shop", "queries": [{"query_text": "lamp", "ratings": [{"doc_id": "L-1", "rating": 2}]}]}
RRE_OF_QUEPID = {"id_field": "id", "index": "shop", "template": "template.json", "queries": [
    {"placeholders": {"$query": "lamp"}, "relevant_documents": {"3": ["L-1", "L-2"], "0": ["L-3"]}}]}  # fmt: skip
RRE = {"index": "core1", "id_field": "id", "topics": [{"description": "Basses", "query_groups": [
    {"name": "brand", "queries": [
        {"template": "q.json", "placeholders": {"$query": "fender"}},
        {"template": "l.json", "placeholders": {"$query": "Fender", "$lang": "en"}}],
     "relevant_documents": {"1": {"gain": 3}, "2": {"gain": 2}}},
    {"name": "model", "queries": [{"placeholders": {"$q": "jazz"}}], "relevant_documents": {"1": {"gain": 1}}},
]}]}  # fmt: skip


def read(tmp_path: Path, content: Any, topics: str | None = None) -> tuple[list[Any], list[str]]:
    file = tmp_path / "ratings"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    if topics is not None:
        (tmp_path / "topics").write_text(topics, "utf-8")
    return read_ratings(file, None if topics is None else tmp_path / "topics")


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (QUEPID, [("lamp", "L-1", 3), ("red, sofa", "S-1", 0)]),
        (QUEPID_JSON, [("lamp", "L-1", 3), ("lamp", "L-2", 1)]),
        (QUEPID_CASE, [("lamp", "L-1", 2)]),
        (RRE_OF_QUEPID, [("lamp", "L-1", 3), ("lamp", "L-2", 3), ("lamp", "L-3", 0)]),
        (RRE, [("fender", "1", 3), ("fender", "2", 2), ("Fender", "1", 3), ("Fender", "2", 2), ("jazz", "1", 1)]),
        ("sofa 0 S-1 2\r\n\nsofa Q0 S-2 -1\n", [("sofa", "S-1", 2), ("sofa", "S-2", 0)]),
    ],
)
def test_known_forms(tmp_path: Path, content: Any, rows: list[Any]) -> None:
    assert read(tmp_path, content)[0] == rows


def test_topics_give_the_numbers_their_words_and_nothing_is_lost_silently(tmp_path: Path) -> None:
    rows, notes = read(tmp_path, "7 0 S-1 2\n8 0 S-1 1\n9 0 L-1 -2\n", "7\tred sofa\n9 台灯\n")
    assert rows == [("red sofa", "S-1", 2), ("台灯", "L-1", 0)]
    assert notes == ["1 queries without a topic were left out, such as '8'", "1 grades below 0 count as 0"]
    assert read(tmp_path, QUEPID)[1] == ["1 rows without a rating were left out"]
    assert read(tmp_path, QUEPID_JSON)[1] == ["1 queries without a rating were left out"]


@pytest.mark.parametrize(
    ("content", "topics", "sentence"),
    [
        ("query;item;gain\na;b;1", None, "line 1: qrels have"),
        ("1 0 a good", None, "'good' of the query '1' is no grade"),
        ('{"queries": [', None, "is not valid JSON"),
        ({"queries": ["lamp"]}, None, "'lamp' stands where a query"),
        ({"queries": [{"ratings": {"a": 1}}]}, None, "a query has no words"),
        ({"queries": [{"query": "a", "ratings": {"i": "x"}}]}, None, "'x' of the query 'a' is no grade"),
        ({"queries": [{"query": "a", "ratings": {"i": {"g": 1}}}]}, None, "is no grade"),
        ({"queries": [{"query": "a", "ratings": 7}]}, None, "stands where the ratings"),
        ({}, None, "a query has no words"),
        ("", None, "holds no ratings"),
        (RRE, "1 a", "leave --topics out"),
        ("1 0 a 1", "1", "a topic is a query's number and its words"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, content: Any, topics: str | None, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, content, topics)


def test_the_command_writes_a_file_of_searches_once(tmp_path: Path) -> None:
    from tfrec.cli.main import app

    file, output = tmp_path / "rre.json", tmp_path / "judgments.csv"
    file.write_text(json.dumps(RRE), "utf-8")
    command = ["judge", "import", str(file), "--output", str(output)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0 and "5 ratings of 3 queries" in done.output, done.output
    with output.open(newline="") as handle:
        assert list(csv.reader(handle))[:2] == [["query", "item_id", "gain"], ["fender", "1", "3"]]
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2 and "is there already" in again.stderr
