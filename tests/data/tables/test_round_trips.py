"""Any table comes back equal from what polars, pandas, Excel and MySQL make of it, in any dialect."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfrec.data.tables.nulls import ALWAYS, MOSTLY

from .reading import read

# What a cell may hold: no control characters but a line break, no blanks at its ends, no word for no value.
SIGNS = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff")
WORDS = st.text(SIGNS | st.sampled_from(' ,;\t|"\'\\\n"\\'), max_size=14)
CELLS = WORDS.map(lambda text: text.strip()).filter(lambda text: text not in (*ALWAYS, *MOSTLY))
IDS = st.from_regex(r"[A-Z]{1,3}[0-9]{1,5}", fullmatch=True)
ROWS = st.lists(st.tuples(IDS, CELLS.filter(bool), CELLS), min_size=1, max_size=6)
COLUMNS = ("item_id", "title", "brand")
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def back(content: str | bytes, name: str, **given: object) -> list[tuple[str, ...]]:
    """The rows of a file with this content, none of which may be rejected."""
    with TemporaryDirectory() as folder:
        found = read(Path(folder) / name, content, COLUMNS, **given)
    assert found.rejected == [] and found.read == len(found.rows)
    return [tuple(row) for row in found.rows]


def plain(rows: list[tuple[str, str, str]], *signs: str) -> list[tuple[str, str, str]]:
    """The rows without signs that a format cannot hold."""
    return [tuple("".join("_" if sign in signs else sign for sign in cell) for cell in row) for row in rows]  # type: ignore[misc]


@SLOW
@given(
    ROWS,
    st.sampled_from(",;\t|"),
    st.sampled_from(["necessary", "always", "non_numeric"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_polars(rows: list[tuple[str, str, str]], separator: str, quotes: str, ends: str) -> None:
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    content = frame.write_csv(separator=separator, quote_style=quotes, line_terminator=ends)  # type: ignore[call-overload]
    assert back(content, "a.csv") == rows


@SLOW
@given(ROWS, st.sampled_from([",", ";", "\t"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
       st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))  # fmt: skip
def test_pandas_with_its_index(rows: list[tuple[str, str, str]], separator: str, quotes: int, encoding: str) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, quoting=quotes, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerows([["", *COLUMNS], *([n, *row] for n, row in enumerate(rows))])
    assert back(stream.getvalue().encode(encoding), "a.csv") == rows


@SLOW
@given(ROWS, st.sampled_from([",", ";"]), st.integers(0, 3), st.booleans())
def test_excel(rows: list[tuple[str, str, str]], separator: str, empty: int, hint: bool) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    writer.writerows([[*row, *[""] * empty] for row in (COLUMNS, *rows)])
    assert back("\ufeff" * (not hint) + f"sep={separator}\r\n" * hint + stream.getvalue(), "a.csv") == rows


@SLOW
@given(ROWS)
def test_tab_separated_without_quotes(rows: list[tuple[str, str, str]]) -> None:
    rows = plain(rows, "\t", "\n", "\\")
    content = "\n".join("\t".join(row) for row in (COLUMNS, *rows)) + "\n"
    assert back(content, "a.tsv", quoting="none") == rows


@SLOW
@given(ROWS, st.booleans())
def test_mysql_with_names_or_without(rows: list[tuple[str, str, str]], batch: bool) -> None:
    def escaped(cell: str) -> str:
        if not cell:
            return "\\N"
        cell = cell.replace("\\", "\\\\")
        return (
            cell.replace("\t", "\\t").replace("\n", "\\n")
            if batch
            else cell.replace("\t", "\\\t").replace("\n", "\\\n")
        )

    lines = ["\t".join(map(escaped, row)) for row in rows]
    given = {"quoting": "backslash", **({} if batch else {"header": False, "names": list(COLUMNS)})}
    content = "\n".join(["\t".join(COLUMNS), *lines] if batch else lines) + "\n"
    assert back(content, "a.tsv", **given) == rows


@SLOW
@given(ROWS)
def test_mysql_found_by_its_nulls(rows: list[tuple[str, str, str]]) -> None:
    rows = [*rows, ("Z1", "last", "")]
    lines = [
        "\t".join(cell.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") or "\\N" for cell in row)
        for row in rows
    ]
    assert back("\n".join(["\t".join(COLUMNS), *lines]) + "\n", "a.tsv") == rows
