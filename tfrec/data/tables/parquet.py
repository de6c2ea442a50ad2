"""Reading Parquet as batches of the wanted columns, in the file's own types, plus `_row`, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.ids import as_text
from tfrec.data.tables.json_rows import value_column
from tfrec.data.tables.nested import Place, value_at
from tfrec.data.tables.opened import SAMPLED, Opened, some_values, unpacked
from tfrec.errors import DataError

_ROWS = 100_000


def open_parquet(path: Path, table: TableConfig, stack: ExitStack) -> Opened:
    """Opens Parquet. Rows count from 1.

    Raises:
        DataError: also while rows are read: the file is not Parquet or is cut off.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = str(unpacked(path, stack))  # the file and not a Python object: Arrow reads it from threads of its own
    try:
        file = stack.enter_context(pq.ParquetFile(source))
        schema = file.schema_arrow
        twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"{path} has the column {twice!r} twice: keep the right one.")
        found = [name for name in schema.names if name]
        first = next(file.iter_batches(SAMPLED), None)
        sample = {name: _texts(first.column(name)) for name in found} if first is not None else {}
    except (pa.ArrowException, OSError) as error:
        raise DataError(_UNREADABLE.format(path, _reason(error))) from None

    def frames(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
        done = 0
        columns = list(dict.fromkeys([*(place.column for place in places.values()), *filter(None, [table.explode])]))
        try:
            for batch in file.iter_batches(_ROWS, columns=columns):
                rows = pl.int_range(done + 1, done + 1 + len(batch), dtype=pl.UInt32, eager=True).alias("_row")
                done += len(batch)
                if table.explode is not None:
                    batch, rows = _exploded(path, batch, rows, table.explode)
                values = [_column(name, batch.column(place.column), place.steps) for name, place in places.items()]
                yield pl.DataFrame([*values, rows])
        except (pa.ArrowException, OSError) as error:
            raise DataError(_UNREADABLE.format(path, _reason(error))) from None

    texts = [field.name for field in schema if field.name and _may_hold_text(field.type)]
    return Opened(found, texts, some_values(sample), frames)


_UNREADABLE = "{} is not a readable Parquet file ({}): export it again."


def _exploded(path: Path, batch: Any, rows: pl.Series, key: str) -> tuple[Any, pl.Series]:
    """A row for each entry of a column of lists, one without it where there is none."""
    if key not in batch.schema.names or not hasattr(batch.schema.field(key).type, "value_type"):
        raise DataError(f"{path} has no column of lists {key!r}, which explode names.")
    frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(rows.alias("_row"))
    nothing = pl.concat_list(pl.lit(None, frame.schema[key].inner))  # type: ignore[attr-defined]
    filled = pl.when(pl.col(key).list.len() > 0).then(key).otherwise(nothing).alias(key)  # no row goes with its list
    frame = frame.with_columns(filled).explode(key)
    return frame.drop("_row").to_arrow().combine_chunks().to_batches()[0], frame["_row"]


def _reason(error: Exception) -> str:
    return str(error).split("\n")[0].rstrip(".")


def _column(name: str, values: Any, steps: tuple[str, ...]) -> pl.Series:
    """Plain values and lists of them as polars has them; what is nested deeper as text."""
    import pyarrow as pa

    if steps or not _is_plain(values.type):
        return value_column(name, [value_at(_value(found), steps) for found in values.to_pylist()])
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = values.cast(pa.large_binary())  # texts that are not UTF-8 are told by row
    return pl.Series(name, pl.from_arrow(values))


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return not pa.types.is_nested(kind.value_type) and _is_plain(kind.value_type)
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return not (
        pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind) or pa.types.is_time(kind)
    )


def _value(value: Any) -> Any:
    """A value of Arrow as JSON has it: a map is an object, a duration seconds, times ISO, bytes text."""
    from datetime import date, time, timedelta

    if isinstance(value, dict):
        return {str(key): _value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(entry, tuple) and len(entry) == 2 for entry in value):
            return {as_text(_value(key)): _value(inner) for key, inner in value}
        return [_value(entry) for entry in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _texts(values: Any) -> list[str]:
    try:
        return [as_text(_value(value)) for value in values.to_pylist()]
    except (UnicodeDecodeError, ValueError):  # texts that are not UTF-8, times beyond Python's
        return []


def _may_hold_text(kind: Any) -> bool:
    """Whether an Arrow type holds texts: not numbers, times, vectors or bytes."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _may_hold_text(kind.value_type)
    if pa.types.is_map(kind):
        return _may_hold_text(kind.item_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _may_hold_text(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_may_hold_text(kind.field(place).type) for place in range(kind.num_fields))
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
