"""A log's records in batches, only the wanted keys, in bounded memory: JSON lines (bulk, too) and Parquet."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.ids import as_text, id_text
from tfrec.data.tables.opened import READ_ERRORS, open_bytes, unpacked
from tfrec.errors import DataError

_BLOCK = 16 << 20
_LOOKED_AT = 1 << 20
_ROWS = 100_000
_ACTION_LINES = ("index", "create", "update", "delete")  # a bulk file has one before each record
_BULK = pl.Struct({"_id": pl.String})
Rejected = list[tuple[int, str]]


def json_batches(path: Path, schema: Mapping[str, Any]) -> Iterator[tuple[pl.DataFrame, Rejected, int]]:
    """Records of a file of JSON lines.

    Args:
        path: the file, gzip or not.
        schema: polars types of the keys that are wanted, nested as they are; other keys are passed over.

    Yields:
        (records with `_row`, their lines; lines that are no JSON object; how many are a bulk file's actions).

    Raises:
        DataError: the file is cut off or cannot be read.
    """
    whole = {**dict.fromkeys(_ACTION_LINES, _BULK), **schema}
    line, rest = 1, b""
    try:
        with open_bytes(path) as raw:
            while True:
                more = raw.read(_BLOCK)
                block = rest + more
                end = block.rfind(b"\n") + 1 if more else len(block)
                block, rest = block[:end], block[end:]
                if block.strip():
                    yield _parsed(block.removeprefix(b"\xef\xbb\xbf"), whole, line)
                line += block.count(b"\n")
                if not more:
                    return
    except READ_ERRORS as error:
        raise DataError(
            f"{path} is not whole ({error}): the gzip file is damaged or cut off; fetch it again."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}).") from error


def _parsed(block: bytes, schema: Mapping[str, Any], line: int) -> tuple[pl.DataFrame, Rejected, int]:
    rejected: Rejected = []
    lines: list[int] = []
    try:
        frame = pl.read_ndjson(io.BytesIO(block), schema=dict(schema))
    except pl.exceptions.PolarsError:  # a broken line, or a text where an object should be: one by one
        records = []
        for number, text in enumerate(block.split(b"\n"), start=line):
            if not text.strip():
                continue
            try:
                record = json.loads(text.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                rejected.append((number, f"it is not JSON ({error})"))
                continue
            if not isinstance(record, dict):
                rejected.append((number, "it is no JSON object"))
                continue
            lines.append(number)
            records.append({key: _fitted(record.get(key), kind) for key, kind in schema.items()})
        frame = pl.DataFrame(records, schema=dict(schema))
    action = pl.any_horizontal([pl.col(name).is_not_null() for name in _ACTION_LINES])
    if not rejected and not lines:  # blank lines leave no record: then numbers are those of the records
        frame = frame.with_columns(pl.int_range(line, line + frame.height, dtype=pl.UInt32).alias("_row"))
    else:
        frame = frame.with_columns(pl.Series("_row", lines, dtype=pl.UInt32))
    kept = frame.filter(~action).drop(_ACTION_LINES)
    return kept, rejected, frame.height - kept.height


def _fitted(value: Any, kind: Any) -> Any:
    """A JSON value as its wanted type; None where it is of another shape."""
    if isinstance(kind, pl.Struct):
        inner = {field.name: field.dtype for field in kind.fields}
        return {key: _fitted(value.get(key), of) for key, of in inner.items()} if isinstance(value, dict) else None
    if isinstance(kind, pl.List):
        return [_fitted(entry, kind.inner) for entry in value] if isinstance(value, list) else None
    if value is None:
        return None
    return id_text(value) if isinstance(value, float) else as_text(value)


def record_keys(path: Path, container: str) -> set[str]:
    """The keys of a file's first records, or columns; none for files that are no records.

    Args:
        path: the file.
        container: its format, as `kind_of` says.

    Raises:
        DataError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if container == "parquet":
            with ExitStack() as stack:
                return set(pq.ParquetFile(str(unpacked(path, stack))).schema_arrow.names)
        if container not in ("jsonl", "json"):
            return set()
        keys: set[str] = set()
        with open_bytes(path) as raw:
            for line in raw.read(_LOOKED_AT).split(b"\n"):
                with contextlib.suppress(ValueError, RecursionError):  # told when the rows are read
                    record = json.loads(line)
                    keys |= set(record) if isinstance(record, dict) else set()
        return keys
    except (*READ_ERRORS, pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}): fetch it again.") from None


def parquet_batches(path: Path, schema: Mapping[str, Any]) -> Iterator[tuple[pl.DataFrame, Rejected, int]]:
    """Records of a Parquet file, with those of the wanted columns that it has, in the file's own types, and `_row`.

    Raises:
        DataError: the file is not Parquet or is cut off.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        try:
            file = stack.enter_context(pq.ParquetFile(str(unpacked(path, stack))))
            columns = [name for name in file.schema_arrow.names if name in schema]
            done = 0
            for batch in file.iter_batches(_ROWS, columns=columns):
                rows = pl.int_range(done + 1, done + 1 + len(batch), dtype=pl.UInt32, eager=True).alias("_row")
                done += len(batch)
                yield pl.DataFrame(pl.from_arrow(batch)).with_columns(rows), [], 0
        except (pa.ArrowException, OSError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise DataError(f"{path} is not a readable Parquet file ({reason}): export it again.") from None


def inner(frame: pl.DataFrame, path: str, kind: Any = pl.String) -> pl.Expr:
    """A nested value by its path (a.b.c), cast; null where the frame has none. Texts of JSON are looked into.

    Args:
        frame: where it is.
        path: keys with points between.
        kind: polars type of the result; String is made as ids are, whole numbers without a point.
    """
    name, *steps = path.split(".")
    if name not in frame.columns:
        return pl.lit(None, kind)
    found = pl.col(name)
    of: Any = frame.schema[name]
    for at, step in enumerate(steps):
        if of == pl.String:
            return found.str.json_path_match("$." + ".".join(steps[at:])).cast(kind, strict=False)
        fields = {field.name: field.dtype for field in of.fields} if isinstance(of, pl.Struct) else {}
        if step not in fields:
            return pl.lit(None, kind)
        found, of = found.struct.field(step), fields[step]
    if kind == pl.String and of.is_float():
        whole = found == found.floor()
        found = pl.when(whole).then(found.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(found.cast(pl.String))
        return found
    if kind == pl.String and isinstance(of, pl.Datetime | pl.Date):
        return found.cast(pl.Datetime("ms")).dt.epoch("ms").cast(pl.String)
    return found.cast(kind, strict=False)
