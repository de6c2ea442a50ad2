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
from tfrec.data.tables.titles import LOOKED_AT, titles_above, told
from tfrec.errors import DataError

_ROWS = 20_000


def open_workbook(path: Path, table: TableConfig, stack: ExitStack) -> Opened:
    """Opens the first sheet that holds a table with those that have the same columns, or the one that is named.

    Rows have their sheet's numbers.

    Raises:
        DataError: it is no workbook, is locked by a password, or has no such sheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(stack.enter_context(unpacked(path, stack).open("rb")))
        name, sheet, others = _first_sheet(book, table)
        if sheet is None:
            raise DataError(f"{path} has no sheet {name or 'with a table'!r}; it has {', '.join(book.sheet_names)}.")
    except (CalamineError, ValueError) as error:
        raise DataError(f"{path} is not a readable workbook ({str(error).splitlines()[0].rstrip('.')}).") from None
    notes = [told(path.name, sheet.above, sheet.header_row)] if sheet.above else []
    if others:
        read = ", ".join(map(repr, (name, *others)))
        notes.append(f"{path.name}: the sheets {read} have the same columns: all are read (sheet names one)")
    elif len(book.sheet_names) > 1:
        notes.append(f"{path.name}: sheet {name!r} is read (sheet names another)")
    names = sheet.names
    records = _records(book, sheet, others, table)
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


def _first_sheet(book: Any, table: TableConfig) -> tuple[str | None, _Sheet | None, list[str]]:
    """(the sheet's name, the sheet, the names of those with the same columns that are read with it)."""
    if table.sheet is not None:
        sheet = _Sheet(book.get_sheet_by_name(table.sheet), table) if table.sheet in book.sheet_names else None
        return table.sheet, sheet, []
    name, first, others = None, None, []
    for other in book.sheet_names:
        found = book.get_sheet_by_name(other)
        if not found.height:
            continue
        sheet = _Sheet(found, table)
        if first is None or (not first.is_table and sheet.is_table):  # what the file is, stands on a sheet of its own
            name, first = other, sheet
        elif table.header and sheet.names == first.names:
            others.append(other)
    return name, first, others


def _records(book: Any, sheet: _Sheet, others: list[str], table: TableConfig) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from sheet.records()
    for name in others:  # read again, so that one sheet alone is in memory
        yield from _Sheet(book.get_sheet_by_name(name), table).records()


class _Sheet:
    """A sheet's header, found among its first rows, and its rows.

    Attributes:
        names: of the columns, each once; "" for columns without one.
        above: the rows above the header that hold something, as texts.
        header_row: its number.
    """

    def __init__(self, sheet: Any, table: TableConfig) -> None:
        self._rows = enumerate(sheet.iter_rows() if sheet.start else iter(()), start=1)  # empty ones above, too
        self.above: list[list[str]] = []
        self.header_row = 0
        self._start: list[tuple[int, list[Any]]] = []
        if not table.header:
            self.names = list(table.names)
            return
        looked = [entry for entry in itertools.islice(self._rows, LOOKED_AT) if any(cell != "" for cell in entry[1])]
        texts = [[as_text(_cell(cell)) if cell != "" else "" for cell in row] for _, row in looked]
        at = titles_above(texts)
        self.above, self._start = texts[:at], looked[at + 1 :]
        header: list[Any] = []
        if looked:
            self.header_row, header = looked[at]
        self.names = _each_once([cell if isinstance(cell, str) else id_text(_cell(cell)) for cell in header])

    @property
    def is_table(self) -> bool:
        """Whether it has rows, and more than a column."""
        return bool(self._start) and sum(map(bool, self.names)) > 1

    def records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Numbered rows, cells without a value left out; rows without any are none."""
        for number, row in itertools.chain(self._start, self._rows):
            values = {name: _cell(cell) for name, cell in zip(self.names, row, strict=False) if name and cell != ""}
            if values:
                yield number, values


def _each_once(header: list[str]) -> list[str]:
    names = [cell.strip() for cell in header]
    seen: Counter[str] = Counter()
    for at, cell in enumerate(names):
        seen[cell] += 1
        names[at] = f"{cell} ({seen[cell]})" if cell and seen[cell] > 1 else cell
    return names


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
