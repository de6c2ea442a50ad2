"""Reading JSON Lines and Parquet as batches of the wanted columns plus `_row`, in bounded memory."""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from tfrec.data.ids import ID_LISTS, IDS, as_text, id_list_text, id_text
from tfrec.errors import DataError
from tfrec.json_text import RepeatedKeyError, once_each

# (columns found, those of them that may hold text) -> {tfrec's name: file's name}; raises when one is missing
Pick = Callable[[list[str], list[str]], dict[str, str]]
Rejected = list[tuple[int, str]]  # rows that cannot even be parsed: (row, what is wrong)
_JSON_LINES = 20_000
_DECODER = json.JSONDecoder(object_pairs_hook=once_each)
_PARQUET_ROWS = 100_000


def open_bytes(path: Path) -> IO[bytes]:
    """Opens a file for reading, through gzip when its name ends in .gz."""
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]


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
                columns = columns or pick(*_keys(objects))
                yield _json_frame(objects, numbers, columns)
                numbers, objects = [], []
        if objects:
            columns = columns or pick(*_keys(objects))
            yield _json_frame(objects, numbers, columns)


def _keys(objects: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """(every key, those whose values hold a text somewhere)."""
    every = dict.fromkeys(key for found in objects for key in found)
    texts = {key for found in objects for key, value in found.items() if _has_text(value)}
    return list(every), [key for key in every if key in texts]


def _has_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_text, value.values())) or any(inner is True for inner in value.values())
    return any(map(_has_text, value)) if isinstance(value, list) else isinstance(value, str)


def _json_object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode((line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode("utf-8"))
    except UnicodeDecodeError:
        raise DataError(f"{path}, line {number} is not UTF-8: save the file as UTF-8.") from None
    except RepeatedKeyError as error:
        raise DataError(f"{path}, line {number} has the key {error.key!r} twice: keep the right one.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}, line {number} is not JSON ({error}): each line must hold one JSON object.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}, line {number} is a JSON {type(value).__name__}: each line must hold one JSON object.")
    return value


def _json_frame(objects: list[dict[str, Any]], numbers: list[int], columns: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame({**as_texts(objects, columns), "_row": pl.Series(numbers, dtype=pl.UInt32)})


def as_texts(rows: list[dict[str, Any]], columns: dict[str, str]) -> dict[str, pl.Series]:
    """String columns under tfrec's names: ids by `tfrec.data.ids`, all else by `as_text`."""
    ways = dict.fromkeys(IDS, id_text) | dict.fromkeys(ID_LISTS, id_list_text)
    return {
        name: pl.Series(name, [ways.get(name, as_text)(row.get(file)) for row in rows], dtype=pl.String)
        for name, file in columns.items()
    }


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

    with tempfile.NamedTemporaryFile() as unpacked:
        source = str(path)
        if path.name.endswith(".gz"):
            with open_bytes(path) as packed:
                while block := packed.read(1 << 20):
                    unpacked.write(block)
            unpacked.flush()
            source = unpacked.name  # the file and not the Python object: Arrow reads it from threads of its own
        try:
            with pq.ParquetFile(source) as file:
                schema = file.schema_arrow
                twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
                if twice is not None:
                    raise DataError(f"{path} has the column {twice!r} twice: keep the right one.")
                columns = pick(schema.names, [field.name for field in schema if _may_hold_text(field.type)])
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


def _may_hold_text(kind: Any) -> bool:
    """Whether an Arrow type holds texts: not numbers, times, vectors or bytes."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _may_hold_text(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _may_hold_text(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_may_hold_text(kind.field(place).type) for place in range(kind.num_fields))
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
