"""Reading CSV and TSV as batches of the wanted columns plus `_row`, in bounded memory, with faults told by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from tfrec.data.formats import Pick, Rejected, open_bytes
from tfrec.errors import DataError

_BLOCK = 8 << 20


class _Counting(io.RawIOBase):
    """A stream that counts the quotes it hands out: an odd number betrays a field that is never closed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.quotes = stream, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self.stream.read(size)
        self.quotes += block.count(b'"')
        return block


def csv_batches(path: Path, separator: str, pick: Pick, rejected: Rejected) -> Iterator[pl.DataFrame]:
    """Reads CSV or TSV. Row numbers count records as a spreadsheet shows them: the header is row 1.

    Args:
        path: the file.
        separator: "," or a tab; a comma file that has only ";" or tabs in its header is read by those.
        pick: chooses the columns.
        rejected: gets the rows whose number of fields is wrong; they are left out.

    Yields:
        frames of String columns and `_row` UInt32.

    Raises:
        DataError: not UTF-8, a quote that is never closed.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    header, separator = _header(path, separator)
    columns = pick(header, [name for name in header if name])
    skipped: set[int] = set()

    def reject(row: Any) -> str:
        skipped.add(row.number)
        if row.text.strip():
            if "\n" in row.text.strip():
                raise DataError(f"{path}, row {row.number}: a quote is opened there and never closed.")
            rejected.append((row.number, f"{row.actual_columns} fields instead of {row.expected_columns}"))
        return "skip"

    names = list(dict.fromkeys(columns.values()))
    next_row = 2
    last: pl.DataFrame | None = None
    with open_bytes(path) as raw:
        stream = _Counting(raw)
        reader = pa_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=reject
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=names, column_types={name: pa.large_binary() for name in names}
            ),
        )
        for record_batch in reader:
            frame = pl.DataFrame(pl.from_arrow(record_batch))
            rows: list[int] = []
            if skipped:
                while len(rows) < frame.height:
                    if next_row not in skipped:
                        rows.append(next_row)
                    next_row += 1
                numbers = pl.Series("_row", rows, dtype=pl.UInt32)
            else:
                numbers = pl.int_range(next_row, next_row + frame.height, dtype=pl.UInt32, eager=True).alias("_row")
                next_row += frame.height
            if frame.height:
                last = frame = _decoded(path, frame, numbers)
                blank = pl.all_horizontal(pl.col(name) == "" for name in names)  # an empty line is no fault
                yield frame.filter(~blank).select(*[pl.col(file).alias(name) for name, file in columns.items()], "_row")
        if stream.quotes % 2 and last is not None and any("\n" in str(value) for value in last.row(-1)[:-1]):
            raise DataError(f"{path}, row {last['_row'][-1]}: a quote is opened there and never closed.")


def _header(path: Path, separator: str) -> tuple[list[str], str]:
    with open_bytes(path) as raw:
        start = raw.read(1 << 20)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is UTF-16: save it as UTF-8.")
    text = start.decode("utf-8-sig", errors="replace")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    if separator == "," and "," not in first:
        separator = next((other for other in (";", "\t") if other in first), separator)
    header = next(csv.reader(io.StringIO(text), delimiter=separator), [])
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: the header names the column {twice!r} twice.")
    return header, separator


def _decoded(path: Path, frame: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    try:
        return frame.with_columns(pl.all().cast(pl.String)).with_columns(numbers)
    except pl.exceptions.ComputeError:
        for row, values in zip(numbers, frame.iter_rows(named=True), strict=True):
            for name, value in values.items():
                try:
                    value.decode("utf-8")
                except UnicodeDecodeError:
                    raise DataError(
                        f"{path}, row {row}: column {name!r} is not UTF-8 ({value[:40]!r}): save the file as UTF-8."
                    ) from None
        raise
