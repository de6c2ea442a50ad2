"""Lines above the header, and tables on several sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.workbooks import write_xlsx
from tfrec.data.tables.titles import titles_above

from .reading import read

HEADER, ROWS = ["item_id", "title", "list_price", "brand"], [[f"P{n}", f"lamp {n}", f"{n}.5", "Acme"] for n in range(8)]
ABOVE = {
    "none": [],
    "a title": [["Katalog Frühjahr 2024"]],
    "a title between separators": [["Catalogue", "", "", ""]],
    "a title, a blank line and a date": [["Sortiment"], ["", "", "", ""], ["Stand:", "03.04.2024"]],
    "a sentence with commas": [["Exported by Ann, for the web"]],
    "names in words": [["Template=Lamps", "Version=3"], ["Seller SKU", "Product Name", "Standard Price", "Brand Name"]],
    "names in words alone": [["Seller SKU", "Product Name", "Standard Price", "Brand Name"]],
}


@pytest.mark.parametrize("kind", ABOVE)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_lines_above_the_header_of_a_text_file(kind: str, separator: str, tmp_path: Path) -> None:
    lines = [*ABOVE[kind], HEADER, *ROWS]
    content = "".join(separator.join(row) + "\r\n" for row in lines)
    found = read(tmp_path / "a.csv", content, ("item_id", "title", "list_price"))
    assert found.rows == [tuple(row[:3]) for row in ROWS] and found.rejected == []
    said = [note for note in found.notes if "names the columns" in note]
    assert len(said) == bool(ABOVE[kind])
    if said:
        assert ABOVE[kind][0][0].partition(",")[0] in said[0]


def cells(rows: list[list[str]], start: int = 1) -> str:
    """Rows of a sheet as XML."""
    return "".join(
        f'<row r="{start + at}">'
        + "".join(f'<c r="{chr(65 + x)}{start + at}" t="str"><v>{cell}</v></c>' for x, cell in enumerate(row) if cell)
        + "</row>"
        for at, row in enumerate(rows)
    )


@pytest.mark.parametrize("kind", ["none", "a title", "a title, a blank line and a date"])
def test_lines_above_the_header_of_a_sheet(kind: str, tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", cells([*ABOVE[kind], HEADER, *ROWS], 2))
    found = read(tmp_path / "a.xlsx", None, ("item_id", "title", "list_price"))
    assert found.rows == [tuple(row[:3]) for row in ROWS]
    row = 2 + len(ABOVE[kind])  # the sheet's first row is empty
    assert not ABOVE[kind] or f"a.xlsx: row {row} names the columns" in found.notes[0]


def test_a_sheet_of_words_before_the_table_is_passed_over(tmp_path: Path) -> None:
    for words in ([["Read the other sheet"]], [["What this is"], ["Ask Ann"]]):
        write_xlsx(tmp_path / "a.xlsx", cells(words, 3), cells([HEADER, *ROWS]))
        found = read(tmp_path / "a.xlsx")
        assert found.rows == [tuple(row[:2]) for row in ROWS] and "sheet 'Sheet2' is read" in found.notes[0]


def test_sheets_with_the_same_columns_are_one_table(tmp_path: Path) -> None:
    notes = cells([["What this is"], ["Ask Ann"]])
    write_xlsx(tmp_path / "a.xlsx", cells([HEADER, *ROWS[:3]]), notes, cells([["Archive"], HEADER, *ROWS[3:]]))
    found = read(tmp_path / "a.xlsx")
    assert found.rows == [tuple(row[:2]) for row in ROWS]
    assert "'Sheet1', 'Sheet3' have the same columns" in found.notes[0]
    assert read(tmp_path / "a.xlsx", sheet="Sheet3").rows == [tuple(row[:2]) for row in ROWS[3:]]


@pytest.mark.parametrize(
    "rows",
    [
        [["", "title"], ["1", "a"], ["2", "b"], ["3", "c"]],  # an index without a name
        [["item_id"], ["1", "a"], ["2", "b"], ["3", "c"]],  # one name fewer, and rows that are no header
        [["query"], ["red lamp"], ["blue lamp"], ["green lamp"]],
        [["item_id", "title", "", "", ""], *[["1", "a", "", "", ""]] * 4],
        [["a", "b"], ["1", "2"]],
        [["SKU", "Slug"], *[[f"p_{n}", f"red_lamp_{n}"] for n in range(5)]],
    ],
)
def test_headers_are_no_titles(rows: list[list[str]]) -> None:
    assert titles_above(rows) == 0
