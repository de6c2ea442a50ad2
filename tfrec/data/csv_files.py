"""Reading CSV and TSV as batches of the wanted columns plus `_row`, in bounded memory, with faults told by row.

CSV is RFC 4180: a field that starts with a quote ends at the next single one, whatever lies between. Tab-separated
values (IANA text/tab-separated-values) know no quoting: there a quote is a character like any other.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.formats import Pick, Rejected, open_bytes
from tfrec.data.swallowed import QuotedFields, SwallowedRows
from tfrec.errors import DataError

_BLOCK = 8 << 20
# Arrow's threads may hold the last reference to a reader's options a moment longer than we do. Would they have to free
# the Python callback in them while the interpreter ends, the process would abort; so the latest ones stay alive.
_latest_options: deque[Any] = deque(maxlen=32)


def csv_batches(
    path: Path, separator: str, pick: Pick, rejected: Rejected, warnings: list[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Reads CSV or TSV. Row numbers count records as a spreadsheet shows them: the header is row 1.

    Args:
        path: the file.
        separator: "," reads CSV (a file that has only ";" or tabs in its header is read by those); a tab reads TSV,
            without quoting.
        pick: chooses the columns.
        rejected: gets the rows whose number of fields is wrong; they are left out.
        warnings: gets a sentence, when the file is read, if its quotes look as if they had swallowed rows.

    Yields:
        frames of String columns and `_row` UInt32.

    Raises:
        DataError: not UTF-8, a quote that is never closed.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    quoting = separator != "\t"
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
    suspicion = (SwallowedRows if quoting else QuotedFields)(path, separator, header)
    next_row = 2
    last: pl.DataFrame | None = None
    options = pa_csv.ParseOptions(
        delimiter=separator, quote_char='"' if quoting else False, newlines_in_values=quoting,
        ignore_empty_lines=False, invalid_row_handler=reject,
    )  # fmt: skip
    _latest_options.append(options)
    # Arrow reads ahead in a thread of its own, so from its own stream: a Python one is called from there even while
    # the interpreter ends after an error, which aborts the process.
    with _whole(path), pa.input_stream(str(path), compression=_compression(path)) as stream:
        reader = pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=options,
            convert_options=pa_csv.ConvertOptions(column_types={name: pa.large_binary() for name in header}),
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
                suspicion.look(frame, numbers)
                last = frame = _decoded(path, frame.select(names), numbers)
                blank = pl.all_horizontal(pl.col(name) == "" for name in names)  # an empty line is no fault
                yield frame.filter(~blank).select(*[pl.col(file).alias(name) for name, file in columns.items()], "_row")
    if quoting and last is not None and any("\n" in str(value) for value in last.row(-1)[:-1]) and _odd_quotes(path):
        raise DataError(f"{path}, row {last['_row'][-1]}: a quote is opened there and never closed.")
    if warnings is not None:
        warnings.extend(suspicion.sentences())


def _compression(path: Path) -> str | None:
    return "gzip" if path.name.endswith(".gz") else None


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Tells a damaged gzip file as Python's own reader does."""
    try:
        yield
    except OSError as error:
        if _compression(path) and any(sign in str(error) for sign in ("inflate", "compressed")):
            raise gzip.BadGzipFile(str(error)) from None
        raise


def _odd_quotes(path: Path) -> bool:
    """Whether a quote of the file has no partner; asked only when its last row holds a line break."""
    with open_bytes(path) as raw:
        count = 0
        while block := raw.read(1 << 20):
            count += block.count(b'"')
    return count % 2 == 1


def _header(path: Path, separator: str) -> tuple[list[str], str]:
    with open_bytes(path) as raw:
        start = raw.read(1 << 20)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is UTF-16: save it as UTF-8.")
    text = start.decode("utf-8-sig", errors="replace")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    quoting: Any = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    if separator == "," and "," not in first:
        separator = next((other for other in (";", "\t") if other in first), separator)
    header = next(csv.reader(io.StringIO(text), delimiter=separator, quoting=quoting), [])
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
