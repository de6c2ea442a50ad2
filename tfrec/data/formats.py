"""One batch reader per file format. Each yields polars frames of the wanted columns plus `_row`, in bounded memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from tfrec.errors import DataError

Pick = Callable[[list[str]], dict[str, str]]  # columns found -> {tfrec's name: file's name}; raises when one is missing
Rejected = list[tuple[int, str]]  # rows that cannot even be parsed: (row, what is wrong)
_CSV_BLOCK = 8 << 20
_JSON_LINES = 20_000
_PARQUET_ROWS = 100_000


def open_bytes(path: Path) -> IO[bytes]:
    """Opens a file for reading, through gzip when its name ends in .gz."""
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]


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
    columns = pick(header)
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
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_CSV_BLOCK),
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
                yield frame.select(*[pl.col(file).alias(name) for name, file in columns.items()], "_row")
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


def json_batches(path: Path, pick: Pick) -> Iterator[pl.DataFrame]:
    """Reads JSON Lines. Rows are line numbers; lists are joined with a space.

    Args:
        path: the file.
        pick: chooses the columns among the keys of the first 20,000 lines.

    Yields:
        frames of String columns and `_row` UInt32.

    Raises:
        DataError: a line is not UTF-8 or not a JSON object.
    """
    columns: dict[str, str] | None = None
    with open_bytes(path) as lines:
        numbers: list[int] = []
        objects: list[dict[str, Any]] = []
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            numbers.append(number)
            objects.append(_json_object(path, number, line))
            if len(objects) == _JSON_LINES:
                columns = columns or pick(list(dict.fromkeys(key for found in objects for key in found)))
                yield _json_frame(objects, numbers, columns)
                numbers, objects = [], []
        if objects:
            columns = columns or pick(list(dict.fromkeys(key for found in objects for key in found)))
            yield _json_frame(objects, numbers, columns)


def _json_object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
    except UnicodeDecodeError:
        raise DataError(f"{path}, line {number} is not UTF-8: save the file as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}, line {number} is not JSON ({error}): each line must hold one JSON object.") from None
    if not isinstance(value, dict):
        raise DataError(
            f"{path}, line {number} is a JSON {type(value).__name__}: each line must hold one JSON object."
        )
    return value


def _json_frame(objects: list[dict[str, Any]], numbers: list[int], columns: dict[str, str]) -> pl.DataFrame:
    data = {
        name: pl.Series(name, [as_text(found.get(file)) for found in objects], dtype=pl.String)
        for name, file in columns.items()
    }
    return pl.DataFrame({**data, "_row": pl.Series(numbers, dtype=pl.UInt32)})


def as_text(value: Any) -> str:
    """A JSON value as the text that a CSV file would hold; lone surrogates are replaced."""
    if type(value) is str:
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(filter(None, map(as_text, value)))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace").decode("utf-8")
    return repr(value)


def parquet_batches(path: Path, pick: Pick) -> Iterator[pl.DataFrame]:
    """Reads Parquet with the file's own types. Rows count from 1.

    Args:
        path: the file.
        pick: chooses the columns.

    Yields:
        frames of typed columns and `_row` UInt32.

    Raises:
        DataError: the file is not Parquet or is cut off.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryFile() as unpacked:
        source: Any = str(path)
        if path.name.endswith(".gz"):
            with open_bytes(path) as packed:
                while block := packed.read(1 << 20):
                    unpacked.write(block)
            unpacked.seek(0)
            source = unpacked
        try:
            with pq.ParquetFile(source) as file:
                columns = pick(file.schema_arrow.names)
                done = 0
                for batch in file.iter_batches(_PARQUET_ROWS, columns=list(dict.fromkeys(columns.values()))):
                    frame = pl.DataFrame(pl.from_arrow(batch))
                    rows = pl.int_range(done + 1, done + 1 + frame.height, dtype=pl.UInt32).alias("_row")
                    done += frame.height
                    yield frame.select(*[pl.col(of).alias(name) for name, of in columns.items()], rows)
        except (pa.ArrowInvalid, pa.ArrowIOError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise DataError(f"{path} is not a readable Parquet file ({reason}): export it again.") from None


READ_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
