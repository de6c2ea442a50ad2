"""A JSON file with lines that are no objects: each is a fault with its number, and all others are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tfrec.config import TableConfig
from tfrec.data.tables.read import opened_file
from tfrec.errors import DataError

from .reading import read

LINES = [json.dumps({"item_id": f"P{n}", "title": f"title {n}"}) for n in range(6)]
BROKEN = {
    "cut in the middle": LINES[2][:12],
    "two lines of one object": LINES[2][:12] + "\n" + LINES[2][12:],
    "a list": "[1, 2]",
    "null": "null",
    "words": "Internal Server Error",
    "bytes that are no text": "\\xff",
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("at", [0, 2, 5])
def test_a_broken_line_is_a_fault_and_the_others_are_rows(kind: str, at: int, tmp_path: Path) -> None:
    lines = [*LINES[:at], BROKEN[kind], *LINES[at + 1 :]]
    found = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert [item for item, _ in found.rows] == [f"P{n}" for n in range(6) if n != at]
    assert [row for row, _ in found.rejected][:1] == [at + 1]
    entries = at == 0 and kind == "a list"  # two numbers, in what begins as a list of rows
    assert found.read == len("\n".join(lines).split("\n")) + entries


def test_entries_of_a_list_that_are_no_objects_are_faults(tmp_path: Path) -> None:
    entries = f"[{LINES[0]}, 3, null, {LINES[1]}]"
    for content in (entries, f'{{"products": {entries}}}'):
        found = read(tmp_path / "a.json", content)
        assert [item for item, _ in found.rows] == ["P0", "P1"]
        assert found.rejected == [(2, "a JSON int and no object"), (3, "a JSON NoneType and no object")]


def test_lists_one_after_the_other_are_read_and_open_ones_are_told(tmp_path: Path) -> None:
    pages = f"[{LINES[0]}, {LINES[1]}]\n[{LINES[2]}]\n[]\n"
    assert [item for item, _ in read(tmp_path / "a.json", pages).rows] == ["P0", "P1", "P2"]
    with pytest.raises(DataError, match="a.json, entry 3 is not JSON .the file is cut off"):
        read(tmp_path / "a.json", f"[{LINES[0]}, {LINES[1]},")


@pytest.mark.parametrize("text", ["{broken\n" * 5, "3\n4\n", "{broken\n" * 5000])
def test_a_file_without_any_object_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DataError, match="a.jsonl, line 1 is .*each line must hold one JSON object"):
        with opened_file(tmp_path / "a.jsonl", TableConfig(path="a.jsonl")):
            pass
