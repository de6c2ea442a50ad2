"""Text files as programs write them: separators, quotes, headers, line ends, each found by looking and said."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tfrec.errors import DataError

from .reading import read

LAMPS = [("1", "red lamp"), ("2", "plain stool")]
NAMED = {"header": False, "names": ["item_id", "title"]}

# name: (file, content, settings, rows, words of the notes)
FOUND: dict[str, tuple[str, str | bytes, dict[str, Any], list[tuple[str, str]], list[str]]] = {
    "pandas' index": ("a.csv", ",item_id,title\n0,1,red lamp\n1,2,plain stool\n", {}, LAMPS, []),
    "quoted empty name": ("a.csv", '"","item_id","title"\n"0","1","red lamp"\n"1","2","plain stool"\n', {}, LAMPS, []),
    "two blank names": ("a.csv", ",,item_id,title\nx,y,1,red lamp\nx,y,2,plain stool\n", {}, LAMPS, []),
    "R's row names": (
        "a.csv", '"item_id","title"\n"a","1","red lamp"\n"b","2","plain stool"\n', {}, LAMPS, ["one name fewer"]),
    "carriage returns alone": ("a.csv", "item_id,title\r1,red lamp\r2,plain stool\r", {}, LAMPS, ["carriage returns"]),
    "semicolons, commas in the header": (
        "a.csv", "item_id;title;Tags (x,y)\n1;red lamp;a\n2;plain stool;b,c\n", {}, LAMPS, ["';'"]),
    "semicolons, commas in the texts": ("a.csv", "item_id;title\n1;red lamp\n2;plain, old stool\n", {},
        [("1", "red lamp"), ("2", "plain, old stool")], ["';'"]),
    "tabs in CSV": ("a.csv", "item_id\ttitle\n1\tred lamp\n2\tplain stool\n", {}, LAMPS, ["tabs"]),
    "bars": ("a.txt", "item_id|title\n1|red lamp\n2|plain stool\n", {}, LAMPS, ["'|'"]),
    "commas in TSV": ("a.tsv", "item_id,title\n1,red lamp\n2,plain stool\n", {}, LAMPS, ["','"]),
    "full-width commas": ("a.csv", "item_id，title\n1，red lamp\n2，plain stool\n", {}, LAMPS, ["'，'"]),
    "full-width commas, quotes": ("a.csv", 'item_id，title，note\n1，red lamp，"a，b"\n2，"plain\nstool"，c\n', {},
        [("1", "red lamp"), ("2", "plain\nstool")], ["'，'"]),
    "two colons without a header": ("a.dat", "1::red lamp\n2::plain stool\n", NAMED, LAMPS, ["'::'"]),
    "Hive": ("a.txt", "1\x01red lamp\n2\x01plain stool\n", NAMED, LAMPS, ["x01"]),
    "a column twice that nobody maps": (
        "a.csv", "item_id,tag,title,tag\n1,a,red lamp,b\n2,a,plain stool,b\n", {}, LAMPS, ["'tag' more than"]),
    "a column twice, the second one mapped": ("a.csv", "item_id,title,title\n1,a,red lamp\n2,b,plain stool\n",
        {"columns": {"title": "title (2)"}}, LAMPS, ["more than once"]),
    "Excel's empty columns": ("a.csv", "item_id,title,,\n1,red lamp,,\n2,plain stool,,\n", {}, LAMPS, []),
    "Excel's empty columns in the rows": ("a.csv", "item_id,title\n1,red lamp,,\n2,plain stool,,\n", {}, LAMPS, []),
    "Excel's hint": ("a.csv", "sep=;\nitem_id;title\n1;red lamp\n2;plain stool\n", {}, LAMPS, ["';'"]),
    "a padded header": ("a.csv", " item_id , title\n1,red lamp\n2,plain stool\n", {}, LAMPS, []),
    "blank lines first": ("a.csv", "\n\nitem_id,title\n1,red lamp\n\n2,plain stool\n", {}, LAMPS, []),
    "gzip without .gz": ("a.csv", gzip.compress(b"item_id,title\n1,red lamp\n2,plain stool\n"), {}, LAMPS, []),
    "a set separator": ("a.csv", "item_id,x;title\n1,2;red lamp\n2,3;plain stool\n",
        {"separator": ";", "columns": {"item_id": "item_id,x"}}, [("1,2", "red lamp"), ("2,3", "plain stool")], []),
    "backslashes before quotes": ("a.csv", 'item_id,title\n1,"a \\"fine\\", red lamp"\n2,"5\\" pan"\n', {},
        [("1", 'a "fine", red lamp'), ("2", '5" pan')], ["backslash"]),
    "MySQL": ("a.tsv", "1\tred\\\tlamp\t\\N\n2\tplain\\\nstool\\\\\tx\n",
        {"header": False, "names": ["item_id", "title", "brand"]},
        [("1", "red\tlamp"), ("2", "plain\nstool\\")], ["backslash"]),
    "mysql --batch": ("a.tsv", "item_id\ttitle\tbrand\n1\tred\\tlamp\t\\N\n2\tplain\\nstool\tx\n", {},
        [("1", "red\tlamp"), ("2", "plain\nstool")], ["backslash"]),
    "a line break in the header": (
        "a.csv", 'item_id,title,"note\n(short)"\n1,red lamp,a\n2,plain stool,b\n', {}, LAMPS, []),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOUND)
def test_a_dialect_is_found_and_said(kind: str, tmp_path: Path) -> None:
    name, content, settings, rows, words = FOUND[kind]
    found = read(tmp_path / name, content, **settings)
    assert found.rows == rows and found.rejected == []
    said = " ".join(found.notes)
    assert all(word in said for word in words) and bool(found.notes) == bool(words or name == "a.dat"), said


def test_a_list_of_texts_with_commas_has_one_column(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", 'query\nred, big sofa\nlamp\n"oak, old"\n', ("query",))
    assert found.rows == [("red, big sofa",), ("lamp",), ("oak, old",)] and "line breaks alone" in found.notes[0]


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", "sep=;\n\nitem_id;title\n1;red lamp\n2;plain;stool\n3;rug\n")
    assert found.rejected == [(5, "3 fields instead of 2")] and found.rows == [("1", "red lamp"), ("3", "rug")]


def test_an_unclosed_quote_in_a_tab_separated_file_swallows_nothing(tmp_path: Path) -> None:
    content = 'item_id\ttitle\n1\tred lamp\n3\t"Open box lamp\n4\tplain stool\n5\t10" pan\n'
    rows = [("1", "red lamp"), ("3", '"Open box lamp'), ("4", "plain stool"), ("5", '10" pan')]
    assert read(tmp_path / "a.tsv", content).rows == rows
    both = content.replace('10" pan', '10 pan"')  # a pair by chance, with rows between
    assert read(tmp_path / "a.tsv", both).rows == [*rows[:3], ("5", '10 pan"')]
    found = read(tmp_path / "a.txt", content)
    assert found.rows == rows and any("quotes are characters" in note for note in found.notes)


def test_a_file_without_header_is_told_from_one(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"a.csv has no column 'item_id'; it has 1, red lamp; .*header: false and names"
    ):
        read(tmp_path / "a.csv", "1,red lamp\n2,plain stool\n")
    from tfrec.errors import ConfigError

    with pytest.raises(ConfigError, match="header: false needs names"):
        read(tmp_path / "a.csv", header=False)


def test_a_wanted_column_that_is_there_twice_is_a_question(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.csv: the header names the column 'title' twice"):
        read(tmp_path / "a.csv", "item_id,title,title\n1,a,b\n")


def test_texts_with_many_line_breaks_and_commas_are_not_suspected(tmp_path: Path) -> None:
    lines = "".join(f'{n},"lamp {n}, oak,\nold, brown, heavy\nand, well, used\n","note, {n}"\n' for n in range(50))
    assert read(tmp_path / "a.csv", "item_id,title,note\n" + lines).notes == []


def test_where_keeps_rows_and_counts_the_others(tmp_path: Path) -> None:
    content = (
        "item_id,title,state,stock,lang\n1,a,published,3,en\n2,b,draft,3,en\n3,c,Published,0,de\n4,d,published,3.0,fr\n"
    )
    found = read(tmp_path / "a.csv", content, where={"state": "published", "stock": 3, "lang": ["en", "de"]})
    assert found.rows == [("1", "a")] and found.read == 4
    assert found.changes == {
        "rows of another state than wanted, left out": 1, "rows of another stock than wanted, left out": 1,
        "rows of another lang than wanted, left out": 1,
    }  # fmt: skip
    content = "item_id,title,on\n1,a,yes\n2,b,0\n3,c,True\n"
    assert read(tmp_path / "b.csv", content, where={"on": True}).rows == [("1", "a"), ("3", "c")]
    with pytest.raises(DataError, match="b.csv has no column 'off'"):
        read(tmp_path / "b.csv", where={"off": "1"})


def test_words_for_no_value_are_none(tmp_path: Path) -> None:
    content = "item_id,title,user_id,brand\nNULL,a,\\N,N/A\n2,null,nan,None\n3,Nan bread,None,nil\n"
    found = read(tmp_path / "a.csv", content, ("item_id", "title", "user_id", "brand"), null_values=["nil"])
    assert found.rows == [("", "a", "", ""), ("2", "", "", ""), ("3", "Nan bread", "", "")]
    assert found.changes["words for no value in user_id, read as empty"] == 3


@pytest.mark.parametrize("rows", [8, 300_000])
def test_a_quote_that_is_never_closed_is_one_sentence(
    rows: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = (
        "item_id,title,brand\n" + "".join(f"{n},a {n},b\n" for n in range(rows)) + '9,"open box,c\n10,d,e\n11,f,g\n'
    )
    with pytest.raises(DataError, match=rf"row {rows + 2}: a quote is opened there and never closed"):
        read(tmp_path / "a.csv", content)
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("name", "separator", "quoting"),
    [("a.csv", ",", "auto"), ("a.tsv", "\t", "none"), ("a.csv", ";", "auto"), ("a.tsv", "\t", "backslash")],
)
def test_rows_without_their_last_fields_are_faults_or_filled_up_by_wish(
    name: str, separator: str, quoting: str, tmp_path: Path
) -> None:
    lines = [["item_id", "title", "brand", "note"]]
    lines += [[str(n), f"lamp {n}", "Acme", "new"][: 2 + n % 3] for n in range(9)]
    content = "".join(separator.join(line) + "\r\n" for line in lines)
    plain = read(tmp_path / name, content, ("item_id", "title", "note"), quoting=quoting)
    assert len(plain.rows) == 3 and "2 fields instead of 4 (ragged: true" in plain.rejected[0][1]
    found = read(tmp_path / name, content, ("item_id", "title", "note"), quoting=quoting, ragged=True)
    assert found.rows == [(str(n), f"lamp {n}", "new" if n % 3 == 2 else "") for n in range(9)]
    assert found.rejected == []
    broken = read(tmp_path / name, content + separator.join("abcdef") + "\n", quoting=quoting, ragged=True)
    assert broken.rejected == [(11, "6 fields instead of 4")]


def test_open_quotes_are_told_where_rows_are_filled_up(tmp_path: Path) -> None:
    header, rows = "item_id,title,note\n", "3,open box,b\n4,chair,b\n"
    with pytest.raises(DataError, match="row 3: a quote is opened there and never closed"):
        read(tmp_path / "a.csv", f'{header}1,lamp\n2,"box\n{rows}', ragged=True)
    found = read(tmp_path / "a.csv", f'{header}1,"red lamp,a\n{rows}5,"plain stool,c\n6,pan,"a\nb"\n', ragged=True)
    assert any("look like rows of their own (the first in row 2, column 'title')" in note for note in found.notes)


def test_a_line_of_dashes_below_the_header_is_no_row(tmp_path: Path) -> None:
    found = read(tmp_path / "a.txt", "item_id;title\n-------;-----\n1;a\n2;b\n")
    assert found.rows == [("1", "a"), ("2", "b")] and "dashes" in " ".join(found.notes)
