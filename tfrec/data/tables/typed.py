"""Columns of any type as texts: times as unix seconds, ids by `tfrec.data.ids`, lists joined, no word for no value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.ids import BETWEEN_LISTED, ID_LISTS, IDS, LISTED, check_whole_ids, id_column, id_list_column
from tfrec.errors import DataError

VALUES = ("price", "gain", "weight", "split", "event", "timestamp", "quantity")


def as_texts(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as String without nulls; `_row` stays.

    Args:
        path: the file, for messages.
        frame: columns under tfrec's names.

    Raises:
        DataError: a text is not UTF-8, or a number too large for an id.
    """
    columns: list[Any] = []
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
            between = BETWEEN_LISTED if name in LISTED else " "
            column = column.list.eval(pl.element().cast(pl.String)).list.join(between, ignore_nulls=True)
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
        elif kind.is_float():
            column = column.fill_nan(None).cast(pl.String)
        elif kind != pl.String:
            column = column.cast(pl.String)
        column = column.fill_null("")
        if name in (*IDS, *VALUES):
            column = column.str.strip_chars()
        columns.append(column.alias(name))
    return frame.select(columns)


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
