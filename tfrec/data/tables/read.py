"""Reading a shop's table, whatever its files, as batches of text columns under tfrec's names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.tables.delimited import open_delimited
from tfrec.data.tables.files import TableFile, kind_of, table_files
from tfrec.data.tables.json_rows import open_json
from tfrec.data.tables.nulls import without_nulls
from tfrec.data.tables.opened import READ_ERRORS, Opened, Rejected
from tfrec.data.tables.picking import filter_places, picked
from tfrec.data.tables.typed import as_texts
from tfrec.data.tables.where import wanted_rows
from tfrec.errors import DataError

_HIDDEN = "_where "


class NoRowsError(DataError):
    """A file has its columns, and not a single row."""


@dataclass
class Change:
    """What reading changed or left out.

    Attributes:
        kind: in words.
        count: rows or values.
        examples: (before, after) of some.
    """

    kind: str
    count: int
    examples: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Batch:
    """Some rows of one file.

    Attributes:
        file: where they come from.
        frame: the columns found, all String without nulls ("" when empty), and `_row` UInt32.
        rejected: rows that could not be parsed at all, (row, what is wrong).
        warnings: what looks wrong with the file as a whole, a sentence each without its full stop.
        notes: what was found by looking, likewise.
        changes: what was changed or left out, counted.
        numbers: columns that the file itself holds as numbers, whose texts have a decimal point.
        left_out: rows that `where` does not keep, already out of the frame.
    """

    file: Path
    frame: pl.DataFrame
    rejected: Rejected = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    numbers: frozenset[str] = frozenset()
    left_out: int = 0

    @property
    def rows(self) -> int:
        """Rows of the file that this batch stands for."""
        return self.frame.height + len(self.rejected) + self.left_out


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
        table: path, dialect and column mapping.
        root: folder that the path is relative to.
        required: columns, by tfrec's names, without which the table is useless.
        optional: columns that are taken when the file has them.
        section: name of the table in the configuration (items, searches, interactions), for messages.
        further: also take every other column that may hold text, under the file's own name.

    Yields:
        batches; at least one per file.

    Raises:
        DataError: missing, empty, cut off or malformed file; missing column.
    """
    for file in table_files(table, root):
        yield from _read_file(file, table, required, optional, section, further)


@contextmanager
def opened_file(path: Path, table: TableConfig, wanted: Collection[str] = ()) -> Iterator[Opened]:
    """Opens one file, whatever it is: its columns, some values, and its rows.

    Args:
        path: the file.
        table: its settings.
        wanted: columns that it is expected to have, which helps to find the separator.

    Raises:
        DataError: it is empty, damaged or of an unknown kind.
    """
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty.")
        with ExitStack() as stack:
            notes: list[str] = []
            kind = kind_of(path, table, notes)
            opened = _opened(path, kind, table, wanted, stack)
            opened.notes[:0] = notes
            yield opened
    except READ_ERRORS as error:
        raise DataError(
            f"{path} is not whole ({error}): the packed file is damaged or cut off; fetch it again."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}).") from error


def _opened(path: Path, kind: str, table: TableConfig, wanted: Collection[str], stack: ExitStack) -> Opened:
    if kind in ("csv", "tsv") and table.explode is None:
        return open_delimited(path, table, kind, wanted, stack)
    if kind in ("json", "jsonl"):
        return open_json(path, table, stack)
    if kind == "parquet":
        from tfrec.data.tables.parquet import open_parquet

        return open_parquet(path, table, stack)
    if table.explode is not None:
        raise DataError(f"{path} is no JSON or Parquet, which alone hold lists for explode: leave it out.")
    if kind == "excel":
        from tfrec.data.tables.workbook import open_workbook

        return open_workbook(path, table, stack)
    if kind == "feed":
        from tfrec.data.tables.feed import open_feed

        return open_feed(path, stack)
    from tfrec.data.tables.tfrecords import open_tfrecord

    return open_tfrecord(path)


def _read_file(
    file: TableFile, table: TableConfig, required: Sequence[str], optional: Sequence[str], section: str, further: bool
) -> Iterator[Batch]:
    path = file.path
    wanted = {*required, *optional, *filter(None, table.columns.values()), *table.where}
    with opened_file(path, table, wanted) as opened:
        given = {"split"} if file.split is not None and "split" in optional else set()
        needed = [name for name in required if name not in given]
        if not opened.found:
            raise NoRowsError(f"{path} has no rows.")
        places = picked(opened, path, table, needed, [name for name in optional if name not in given], section, further)
        filters = {f"{_HIDDEN}{name}": place for name, place in filter_places(opened, path, table, section).items()}
        notes, rows = opened.notes, 0
        for raw in opened.frames({**places, **filters}):
            rows += raw.height
            numbers = frozenset(name for name, kind in raw.schema.items() if kind.is_numeric() and name != "_row")
            batch = Batch(path, as_texts(path, raw), opened.rejected[:], notes=notes, numbers=numbers)
            opened.rejected.clear()
            notes = []
            _filter(batch, table)
            _empty(batch, table)
            if given:
                batch.frame = batch.frame.with_columns(pl.lit(file.split).alias("split"))
            yield batch
        if opened.rejected or opened.warnings:
            yield Batch(path, pl.DataFrame(), opened.rejected[:], opened.warnings, notes)
        elif rows == 0:
            raise NoRowsError(f"{path} has no rows.")


def _filter(batch: Batch, table: TableConfig) -> None:
    for name, wanted in table.where.items():
        hidden = f"{_HIDDEN}{name}"
        keep = wanted_rows(batch.frame[hidden], wanted)
        others = batch.frame.filter(~keep)[hidden]
        if len(others):
            examples = [(value, "") for value in others.unique(maintain_order=True).head(5)]
            batch.changes.append(Change(f"rows of another {name} than wanted, left out", len(others), examples))
            batch.left_out += len(others)
        batch.frame = batch.frame.filter(keep).drop(hidden)


def _empty(batch: Batch, table: TableConfig) -> None:
    for column in batch.frame.drop("_row"):
        kept, words = without_nulls(column, table.null_values)
        if len(words):
            examples = [(word, "") for word in words.unique(maintain_order=True).head(5)]
            batch.changes.append(Change(f"words for no value in {column.name}, read as empty", len(words), examples))
            batch.frame = batch.frame.with_columns(kept)
