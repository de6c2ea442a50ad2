"""Quotes in tab-separated and comma-separated files: what they mean, and what is said when they swallow rows."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tfrec.config import Config
from tfrec.data.prepare import prepare

LAMPS = 'item_id\ttitle\n1\tred lamp\n3\t"Open box lamp\n4\tplain stool\n5\t10" pan\n'
ASKED = "query,item_id\nlamp,1\npan,5\n"


def catalogue(make_shop: Callable[..., Config], content: Any, path: str, **more: Any) -> tuple[list[Any], list[str]]:
    shop = prepare(make_shop(items={"content": content, "path": path, **more}, searches=ASKED))
    return shop.items.select("item_id", "title").rows(), shop.report["items"]["notes"]


@pytest.mark.parametrize("path", ["items.tsv", "items.tab", "items.tsv.gz"])
def test_a_quote_in_a_tab_separated_file_is_a_character(path: str, make_shop: Callable[..., Config]) -> None:
    content = gzip.compress(LAMPS.encode()) if path.endswith(".gz") else LAMPS
    rows, notes = catalogue(make_shop, content, path)
    assert rows == [("1", "red lamp"), ("3", '"Open box lamp'), ("4", "plain stool"), ("5", '10" pan')]
    assert notes == []


def test_a_quoted_header_and_quoted_fields_of_a_tab_separated_file_are_said(
    make_shop: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    content = 'item_id\ttitle\n1\tlamp\n2\t"fine" lamp\n5\t"pan"\n'
    rows, notes = catalogue(make_shop, content, "items.tsv")
    assert rows == [("1", "lamp"), ("2", '"fine" lamp'), ("5", '"pan"')]
    assert len(notes) == 1 and "1 field is in quotes (the first in row 4, column 'title')" in notes[0]
    assert notes[0] in capsys.readouterr().err
    rows, notes = catalogue(make_shop, content.replace('"fine" ', ""), "items.tsv", quoting="double")
    assert rows == [("1", "lamp"), ("2", "lamp"), ("5", "pan")] and notes == []


def test_a_tab_separated_file_whose_every_quote_is_csvs_is_read_so(make_shop: Callable[..., Config]) -> None:
    content = 'item_id\ttitle\n1\tlamp\n2\t"a ""fine"" lamp"\n5\t"pan"\n'
    rows, notes = catalogue(make_shop, content, "items.tsv")
    assert rows == [("1", "lamp"), ("2", 'a "fine" lamp'), ("5", "pan")]
    assert notes == ["items.tsv: fields are in quotes (quoting sets it)"]


def test_rows_that_a_csv_field_swallowed_are_said(
    make_shop: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    content = 'item_id,title,note\n1,"red lamp,a\n3,open box,b\n4,"plain stool,c\n5,pan,"says\nmore, than that"\n'
    rows, notes = catalogue(make_shop, content, "items.csv", duplicates="first")
    assert [item for item, _ in rows] == ["1", "5"]
    assert len(notes) == 1
    assert "items.csv: 1 field holds lines that look like rows of their own (the first in row 2" in notes[0]
    assert f"warning: {notes[0]}." in capsys.readouterr().err


def test_honest_line_breaks_are_not_suspected(make_shop: Callable[..., Config]) -> None:
    content = 'item_id,title,note\n1,"lamp\nof oak, old","one\ntwo, three"\n5,pan,\n'
    assert catalogue(make_shop, content, "items.csv") == ([("1", "lamp of oak, old"), ("5", "pan")], [])


def test_a_column_that_is_not_read_may_swallow_rows_as_well(make_shop: Callable[..., Config]) -> None:
    content = 'item_id,title,secret\n1,lamp,"a\n3,stool,b\n4,rug,"c\n5,pan,d\n'
    rows, notes = catalogue(make_shop, content, "items.csv")
    assert [item for item, _ in rows] == ["1", "5"] and "row 2, column 'secret'" in notes[0]
