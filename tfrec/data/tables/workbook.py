"""Reading a sheet of a workbook (xls, xlsx, xlsb, ods) by calamine."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.ids import as_text, id_text
from tfrec.data.tables.json_rows import row_frame
from tfrec.data.tables.nested import Place
from tfrec.data.tables.opened import SAMPLED, Opened, some_values, unpacked
from tfrec.errors import DataError

_ROWS = 20_000


def open_workbook(path: Path, table: TableConfig, stack: ExitStack) -> Opened:
    """Opens the first sheet that holds a table, or the one that is named. Rows have the sheet's numbers.

    Raises:
        DataError: it is no workbook, is locked by a password, or has no such sheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(stack.enter_context(unpacked(path, stack).open("rb")))
        name = table.sheet or next((name for name in book.sheet_names if book.get_sheet_by_name(name).height > 0), None)
        if name not in book.sheet_names:
            raise DataError(f"{path} has no sheet {name or 'with a table'!r}; it has {', '.join(book.sheet_names)}.")
        sheet = book.get_sheet_by_name(name)
        first_row = sheet.start[0] + 1 if sheet.start else 1
        rows = sheet.iter_rows() if sheet.start else iter(())
    except (CalamineError, ValueError) as error:
        raise DataError(f"{path} is not a readable workbook ({str(error).splitlines()[0].rstrip('.')}).") from None
    notes = [f"{path.name}: sheet {name!r} is read (sheet names another)"] if len(book.sheet_names) > 1 else []
    numbered = enumerate(rows, start=first_row)
    header, start = _header(numbered, table)
    names = [cell.strip() for cell in header]
    seen: Counter[str] = Counter()
    for at, cell in enumerate(names):
        seen[cell] += 1
        names[at] = f"{cell} ({seen[cell]})" if cell and seen[cell] > 1 else cell
    records = _records(numbered, names, start)
    first = list(itertools.islice(records, _ROWS))
    found = [cell for cell in names if cell]
    sample = {cell: [as_text(row.get(cell)) for _, row in first[:SAMPLED]] for cell in found}

    def frames(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
        batch = first
        while batch:
            yield row_frame(batch, places)
            batch = list(itertools.islice(records, _ROWS))

    texts = [cell for cell in found if any(isinstance(row.get(cell), str) for _, row in first)]
    return Opened(found, texts, some_values(sample), frames, notes=notes)


def _header(
    numbered: Iterator[tuple[int, list[Any]]], table: TableConfig
) -> tuple[list[str], list[tuple[int, list[Any]]]]:
    """(names of the columns, rows that were read on the way)."""
    if not table.header:
        return list(table.names), []
    for _, row in numbered:
        if any(cell != "" for cell in row):
            return [_cell(cell) if isinstance(cell, str) else id_text(_cell(cell)) for cell in row], []
    return [], []


def _records(
    numbered: Iterator[tuple[int, list[Any]]], names: list[str], start: list[tuple[int, list[Any]]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in [*start, *numbered] if start else numbered:
        values = {name: _cell(cell) for name, cell in zip(names, row, strict=False) if name and cell != ""}
        if values:
            yield number, values


def _cell(cell: Any) -> Any:
    """A cell as JSON has it: numbers are doubles (2, 2.0 and 2E0 are one number), times are ISO."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell
    if isinstance(cell, datetime):
        cell = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)  # days as doubles miss a second by a bit
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return cell.total_seconds() if isinstance(cell, timedelta) else cell


def read_sheet(path: Path, dates: tuple[str, ...] = ()) -> pl.DataFrame:
    """Reads the first sheet; its first row names the columns.

    Args:
        path: the workbook.
        dates: columns that hold dates.

    Returns:
        String columns (null when empty), and Datetime ones for `dates`, rounded to seconds.

    Raises:
        DataError: it is no workbook.
    """
    with ExitStack() as stack:
        opened = open_workbook(path, TableConfig(path=path.name), stack)
        frame = pl.concat(list(opened.frames({name: Place(name) for name in opened.found}))).drop("_row")
    blank = frame.with_columns(pl.col(pl.String).replace("", None))
    return blank.with_columns(pl.col(name).str.to_datetime(time_unit="ms") for name in dates)
