"""Reading CSV, TSV and their kin as batches of the wanted columns plus `_row`, in bounded memory, with faults by row.

CSV is RFC 4180: a field that starts with a quote ends at the next single one, whatever lies between. Tab-separated
values (IANA text/tab-separated-values) know no quoting: there a quote is a character like any other.
"""

from __future__ import annotations

import contextlib
import gzip
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.ids import LISTED, as_text, listed_text
from tfrec.data.tables.dialect import Dialect, find_dialect
from tfrec.data.tables.encoding import as_utf8
from tfrec.data.tables.nested import Place, value_at, value_of
from tfrec.data.tables.opened import Opened, is_packed, open_bytes, some_values, temporary
from tfrec.data.tables.rewriting import FIELD, rewrite, unescaped
from tfrec.data.tables.swallowed import QuotedFields, SwallowedRows
from tfrec.errors import DataError

_BLOCK = 8 << 20
# Arrow's threads may hold the last reference to a reader's options a moment longer than we do. Would they have to free
# the Python callback in them while the interpreter ends, the process would abort; so the latest ones stay alive.
_latest_options: deque[Any] = deque(maxlen=32)


def open_delimited(path: Path, table: TableConfig, kind: str, wanted: Collection[str], stack: ExitStack) -> Opened:
    """Opens a delimited text file. Row numbers count records as a spreadsheet shows them: the header is row 1.

    Args:
        path: the file.
        table: its settings; what they leave open is found by looking.
        kind: csv or tsv.
        wanted: columns that the header is expected to have.
        stack: keeps temporary files for as long as rows are read.

    Raises:
        DataError: while rows are read, for a quote that is never closed.
    """
    notes: list[str] = []
    text = as_utf8(path, table.encoding, notes, stack)
    dialect = find_dialect(text.path, path.name, table, kind, wanted, notes)
    plain, separator, body = text.path, dialect.separator, dialect.body
    escaped = dialect.quoting == "backslash" and separator == "\t"
    rewritten = escaped or len(separator.encode()) > 1 or table.ragged
    if rewritten:
        target = temporary(stack)
        rewrite(plain, target, dialect, escaped, len(dialect.header) if table.ragged else 0)
        plain, separator, body = Path(target.name), FIELD, 0
    found = [name for name in dialect.header if name]
    columns = {
        name: [row[at] if at < len(row) else "" for row in dialect.rows] for at, name in enumerate(dialect.header)
    }
    opened = Opened(found, found, some_values({name: columns[name] for name in found}), _nothing, notes=notes)

    def frames(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
        return _frames(path, text.path, plain, separator, body, dialect, rewritten, places, opened)

    opened.frames = frames
    return opened


def _nothing(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
    return iter(())


def _frames(
    path: Path, text: Path, plain: Path, separator: str, body: int, dialect: Dialect, rewritten: bool,
    places: Mapping[str, Place], opened: Opened,
) -> Iterator[pl.DataFrame]:  # fmt: skip
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    quotes = dialect.quoting == "double" or (dialect.quoting == "backslash" and dialect.separator != "\t")
    quoting = quotes and not rewritten
    labels = [f"c{at}" for at in range(len(dialect.header))]
    label = dict(zip(dialect.header, labels, strict=True))
    skipped: set[int] = set()
    open_quotes: list[int] = []
    offset = dialect.first_row - 1  # Arrow counts rows from 1

    def reject(row: Any) -> str:
        number = row.number + offset
        skipped.add(number)
        if row.text.strip():
            if "\n" in row.text.strip():
                open_quotes.append(number)  # an exception would not pass through Arrow's threads
                return "error"
            way = " (ragged: true takes the last ones for empty)" if row.actual_columns < row.expected_columns else ""
            opened.rejected.append((number, f"{row.actual_columns} fields instead of {row.expected_columns}{way}"))
        return "skip"

    suspicion = (SwallowedRows if quotes else QuotedFields)(path, dialect.separator, dialect.header)
    next_row = dialect.first_row
    last: pl.DataFrame | None = None
    options = pa_csv.ParseOptions(
        delimiter=separator, quote_char='"' if quoting else False, newlines_in_values=quoting,
        escape_char="\\" if quoting and dialect.quoting == "backslash" else False,
        ignore_empty_lines=False, invalid_row_handler=reject,
    )  # fmt: skip
    _latest_options.append(options)
    compression = "gzip" if is_packed(plain) else None
    # Arrow reads ahead in a thread of its own, so from its own stream: a Python one is called from there even while
    # the interpreter ends after an error, which aborts the process.
    with _whole(compression), pa.input_stream(str(plain), compression=compression) as stream:
        stream.read(body)
        try:
            reader = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=labels),
                parse_options=options,
                convert_options=pa_csv.ConvertOptions(column_types={name: pa.large_binary() for name in labels}),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return
            _tell_of_open(path, open_quotes)
            raise DataError(f"{path} cannot be read as a table ({str(error).splitlines()[0]}).") from None
        for record_batch in _batches(reader, path, open_quotes):
            frame = pl.DataFrame(pl.from_arrow(record_batch))
            if rewritten:
                frame = frame.select(unescaped(pl.all().cast(pl.String)).cast(pl.Binary))
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
                used = list(dict.fromkeys(label[place.column] for place in places.values()))
                last = frame = frame.select(pl.col(used).cast(pl.String)).with_columns(numbers)
                blank = pl.all_horizontal(pl.col(name) == "" for name in used)  # an empty line is no fault
                chosen = [_at(pl.col(label[place.column]), place, name) for name, place in places.items()]
                yield frame.filter(~blank).select(*chosen, "_row")
    if quotes and last is not None and any("\n" in str(value) for value in last.row(-1)[:-1]) and _odd_quotes(text):
        raise DataError(f"{path}, row {last['_row'][-1]}: a quote is opened there and never closed.")
    opened.warnings.extend(suspicion.sentences())


def _tell_of_open(path: Path, rows: list[int]) -> None:
    if rows:
        raise DataError(f"{path}, row {rows[0]}: a quote is opened there and never closed.") from None


def _batches(reader: Any, path: Path, open_quotes: list[int]) -> Iterator[Any]:
    import pyarrow as pa

    try:
        yield from reader
    except pa.ArrowInvalid as error:
        _tell_of_open(path, open_quotes)
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"{path} cannot be read to its end ({reason}): look for a quote that opens a field and is never closed."
        ) from None


def _at(column: pl.Expr, place: Place, name: str) -> pl.Expr:
    if place.steps:
        text_of = listed_text if name in LISTED else as_text
        column = column.map_elements(
            lambda text: text_of(value_at(value_of(text), place.steps)), return_dtype=pl.String
        )
    return column.alias(name)


@contextlib.contextmanager
def _whole(compression: str | None) -> Iterator[None]:
    """Tells a damaged gzip file as Python's own reader does."""
    try:
        yield
    except OSError as error:
        if compression and any(sign in str(error) for sign in ("inflate", "compressed")):
            raise gzip.BadGzipFile(str(error)) from None
        raise


def _odd_quotes(path: Path) -> bool:
    """Whether a quote of the file has no partner; asked only when its last row holds a line break."""
    with open_bytes(path) as raw:
        count = 0
        while block := raw.read(1 << 20):
            count += block.count(b'"')
    return count % 2 == 1
