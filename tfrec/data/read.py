"""Reading a shop's files, whatever their format, as batches of text columns under tfrec's names."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.data import TableConfig
from tfrec.data import formats
from tfrec.data.csv_files import csv_batches
from tfrec.data.ids import ID_LISTS, IDS, check_whole_ids, id_column, id_list_column
from tfrec.errors import DataError

_ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".parquet": "parquet", ".pq": "parquet", ".tfrecord": "tfrecord", ".tfrecords": "tfrecord",
}  # fmt: skip
_OWN = ("text", "_row", "_file", "_count")  # names that preparing needs for itself
_VALUES = ("price", "gain", "weight", "split", "event", "timestamp", "quantity")


class NoRowsError(DataError):
    """A file has its columns, and not a single row."""


@dataclass
class Batch:
    """Some rows of one file.

    Attributes:
        file: where they come from.
        frame: the columns found, all String without nulls ("" when empty), and `_row` UInt32.
        rejected: rows that could not be parsed at all, (row, what is wrong).
        warnings: what looks wrong with the file as a whole, a sentence each without its full stop.
    """

    file: Path
    frame: pl.DataFrame
    rejected: formats.Rejected = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def files_of(table: TableConfig, root: Path) -> list[Path]:
    """The files that a table's path or glob means, sorted by name.

    Raises:
        DataError: there is none, or it is a folder.
    """
    path = root / os.path.expanduser(table.path)
    if path.is_dir():
        raise DataError(f"{path} is a folder: give a file, or a glob such as {table.path.rstrip('/')}/*.csv.")
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file())
    if not found:
        near = ""
        if path.parent.is_dir():
            names = [other.name for other in path.parent.iterdir() if other.is_file()]
            near = "".join(f" (did you mean {name}?)" for name in difflib.get_close_matches(path.name, names, n=1))
        raise DataError(f"There is no file {path}{near}: check data.root and the path in the configuration.")
    return found


def format_of(path: Path, table: TableConfig) -> str:
    """The format of a file: as configured, else by the ending before .gz.

    Raises:
        DataError: the ending is unknown.
    """
    if table.format != "auto":
        return table.format
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending not in _ENDINGS:
        raise DataError(
            f"{path}: the ending {ending!r} is unknown; name the format in the configuration "
            "(format: csv, tsv, jsonl, parquet or tfrecord)."
        )
    return _ENDINGS[ending]


def read_table(
    table: TableConfig,
    root: Path,
    required: Sequence[str],
    optional: Sequence[str],
    section: str,
    further: bool = False,
) -> Iterator[Batch]:
    """Reads all files of a table.

    Args:
        table: path, format and column mapping.
        root: folder that the path is relative to.
        required: columns, by tfrec's names, without which the table is useless.
        optional: columns that are taken when the file has them.
        section: name of the table in the configuration (items, searches, interactions), for messages.
        further: also take every other column that may hold text, under the file's own name.

    Yields:
        batches; at least one per file.

    Raises:
        DataError: missing, empty, cut off, wrongly encoded or malformed file; missing column.
    """
    for path in files_of(table, root):
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty.")

        def pick(found: list[str], texts: list[str], path: Path = path) -> dict[str, str]:
            columns = _pick(found, path, table, required, optional, section)
            mapped = {*columns, *columns.values(), *_OWN}
            return columns | {name: name for name in texts if further and name not in mapped}

        rejected: formats.Rejected = []
        warnings: list[str] = []
        rows = 0
        try:
            for frame in _frames(path, format_of(path, table), pick, rejected, warnings):
                rows += frame.height
                yield Batch(path, _to_text(path, frame), rejected[:])
                rejected.clear()
        except formats.READ_ERRORS as error:
            raise DataError(
                f"{path} is not whole ({error}): the gzip file is damaged or cut off; fetch it again."
            ) from None
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error}).") from error
        if rejected or warnings:
            yield Batch(path, pl.DataFrame(), rejected, warnings)
        elif rows == 0:
            raise NoRowsError(f"{path} has no rows.")


def _frames(
    path: Path, kind: str, pick: formats.Pick, rejected: formats.Rejected, warnings: list[str]
) -> Iterator[pl.DataFrame]:
    if kind in ("csv", "tsv"):
        return csv_batches(path, "," if kind == "csv" else "\t", pick, rejected, warnings)
    if kind == "jsonl":
        return formats.json_batches(path, pick)
    if kind == "parquet":
        return formats.parquet_batches(path, pick)
    from tfrec.data.tfrecords import tfrecord_batches

    return tfrecord_batches(path, pick)


def _pick(
    found: list[str], path: Path, table: TableConfig, required: Sequence[str], optional: Sequence[str], section: str
) -> dict[str, str]:
    columns = dict(table.columns)
    known = [*required, *optional]
    odd = next((name for name in columns if name not in known and section != "items"), None)
    if odd is not None:
        nearest = difflib.get_close_matches(odd, known, n=1, cutoff=0.0)[0]
        raise DataError(f"data.{section}.columns names {odd!r}, which is unknown; the nearest name is {nearest!r}.")
    for name in (*required, *optional):
        if name not in columns and (name in found or name in required):
            columns[name] = name
    for name, of in columns.items():
        if of not in found:
            near = difflib.get_close_matches(of, found, n=1, cutoff=0.0)
            hint = f"; if {near[0]!r} is meant, set data.{section}.columns: {{{name}: {near[0]}}}" if near else ""
            raise DataError(f"{path} has no column {of!r}; it has {', '.join(found) or 'none'}{hint}.")
    return columns


def _to_text(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as String; times as unix seconds; ids by `tfrec.data.ids`."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if name == "_row":
            columns.append(column)
            continue
        if isinstance(kind, pl.Array):
            column, kind = column.arr.to_list(), pl.List(kind.inner)
        if isinstance(kind, pl.List) and name in ID_LISTS:
            check_whole_ids(path, name, frame[name].explode())
            column = id_list_column(column, kind)
        elif isinstance(kind, pl.List):
            column = _joined(column, kind.inner)
        elif name == "timestamp" and isinstance(kind, pl.Date | pl.Datetime):
            column = column.cast(pl.Datetime("ms")).dt.epoch("s").cast(pl.String)
        elif name in IDS and kind.is_numeric():
            check_whole_ids(path, name, frame[name])
            column = id_column(column, kind)
        elif kind == pl.Binary:
            _check_utf8(path, frame, name)
            column = column.cast(pl.String)
        elif kind == pl.Boolean:
            column = column.replace_strict({True: "true", False: "false"}, default="", return_dtype=pl.String)
        elif isinstance(kind, pl.Struct):
            column = column.struct.json_encode()
        elif kind != pl.String:
            column = column.cast(pl.String)
        column = column.fill_null("")
        if name in (*IDS, *_VALUES):
            column = column.str.strip_chars()
        columns.append(column.alias(name))
    return frame.select(columns)


def _joined(column: pl.Expr, inner: Any) -> pl.Expr:
    """A column of lists as texts: their values joined by spaces, objects as JSON."""
    element = pl.element()
    if isinstance(inner, pl.Struct):
        element = element.struct.json_encode()
    elif isinstance(inner, pl.List | pl.Array):
        element = _joined(element, inner.inner)
    return column.list.eval(element.cast(pl.String)).list.join(" ", ignore_nulls=True)


def _check_utf8(path: Path, frame: pl.DataFrame, name: str) -> None:
    try:
        frame[name].cast(pl.String)
    except pl.exceptions.PolarsError:
        for row, value in frame.select("_row", name).drop_nulls().iter_rows():
            try:
                value.decode("utf-8")
            except UnicodeDecodeError:
                raise DataError(
                    f"{path}, row {row}: column {name!r} is not UTF-8 ({value[:40]!r}): write it as text in UTF-8."
                ) from None
        raise
