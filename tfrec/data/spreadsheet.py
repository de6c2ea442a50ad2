"""Reading the first sheet of an .xlsx workbook with the standard library (ECMA-376, part 1, SpreadsheetML)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl

from tfrec.errors import DataError

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH = datetime(1899, 12, 30)  # day 0 of the 1900 date system, its wrong leap day included
_BATCH = 50_000


def read_sheet(path: Path, dates: Sequence[str] = ()) -> pl.DataFrame:
    """Reads the first sheet; its first row names the columns.

    Args:
        path: the workbook.
        dates: columns that hold dates.

    Returns:
        String columns (null when empty), and Datetime ones for `dates`, rounded to seconds.

    Raises:
        DataError: it is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            shared = _shared_strings(archive)
            sheets = sorted(name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name))
            rows = _rows(archive, sheets[0], shared)
            header = next(rows)
            names = {at: name.strip() for at, name in header.items()}
            twice = next((name for name in names.values() if list(names.values()).count(name) > 1), None)
            if twice is not None:
                raise DataError(f"{path} has the column {twice!r} twice: keep the right one.")
            return pl.concat(list(_frames(rows, names, dates)))
    except (zipfile.BadZipFile, ElementTree.ParseError, StopIteration, IndexError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a readable .xlsx workbook ({error or type(error).__name__}).") from error


def _frames(rows: Iterator[dict[int, str]], names: dict[int, str], dates: Sequence[str]) -> Iterator[pl.DataFrame]:
    schema = {name: pl.Datetime("ms") if name in dates else pl.String for name in names.values()}
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    for row in rows:
        for at, name in names.items():
            value: Any = row.get(at)
            if value is not None and name in dates:
                value = _EPOCH + timedelta(seconds=round(float(value) * 86_400))
            columns[name].append(value)
        if len(columns[names[0]]) == _BATCH:
            yield pl.DataFrame(columns, schema=schema)
            columns = {name: [] for name in schema}
    yield pl.DataFrame(columns, schema=schema)


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    found = []
    with archive.open("xl/sharedStrings.xml") as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag == f"{_NAMESPACE}si":
                # rich text is in runs (r/t); phonetic hints (rPh/t) are no part of the text
                texts = [*element.findall(f"{_NAMESPACE}t"), *element.findall(f"{_NAMESPACE}r/{_NAMESPACE}t")]
                found.append("".join(text.text or "" for text in texts))
                element.clear()
    return found


def _rows(archive: zipfile.ZipFile, sheet: str, shared: list[str]) -> Iterator[dict[int, str]]:
    """Each row as {column number: text}."""
    with archive.open(sheet) as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag != f"{_NAMESPACE}row":
                continue
            row: dict[int, str] = {}
            for at, cell in enumerate(element.iter(f"{_NAMESPACE}c")):
                kind, reference = cell.get("t"), cell.get("r")
                value = cell.findtext(f"{_NAMESPACE}v")
                if kind == "inlineStr":
                    value = "".join(text.text or "" for text in cell.iter(f"{_NAMESPACE}t"))
                elif kind == "s" and value is not None:
                    value = shared[int(value)]
                elif kind in (None, "n") and value is not None and float(value).is_integer():
                    value = str(int(float(value)))  # numbers are doubles: 2, 2.0 and 2E0 are one number
                if value is not None and kind != "e":
                    row[_column(reference) if reference else at] = value
            element.clear()
            if row:
                yield row


def _column(reference: str) -> int:
    number = 0
    for letter in re.match(r"[A-Z]+", reference).group():  # type: ignore[union-attr]
        number = number * 26 + ord(letter) - 64
    return number - 1
