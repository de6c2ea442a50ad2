"""Reading JSON as batches of the wanted keys plus `_row`: an object a line, a list of objects, or Python's dicts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.ids import ID_LISTS, IDS, as_text, id_list_text, id_text
from tfrec.data.tables.encoding import as_utf8
from tfrec.data.tables.nested import Place, place_of, python_value, value_at
from tfrec.data.tables.opened import SAMPLED, Opened, open_bytes, some_values
from tfrec.errors import DataError
from tfrec.json_text import RepeatedKeyError, once_each

_ROWS = 20_000
_BLOCK = 1 << 20
_DECODER = json.JSONDecoder(object_pairs_hook=once_each)
_ACTIONS = {"index", "create", "update", "delete"}
_NUMBERS = ("price", "gain", "weight", "quantity")

Numbered = Iterator[tuple[int, dict[str, Any]]]


def open_json(path: Path, table: TableConfig, stack: ExitStack) -> Opened:
    """Opens JSON Lines (rows are line numbers), a JSON list (rows count from 1), or lines of Python's dicts.

    Lists are joined with a space. The action lines of a bulk file (Elasticsearch, OpenSearch) are passed over.

    Raises:
        DataError: also while rows are read: a line is no object, or has a key twice.
    """
    notes: list[str] = []
    text = as_utf8(path, table.encoding, notes, stack).path
    numbered = _rows(path, text, table, notes)
    if table.explode is not None:
        numbered = _exploded(numbered, table.explode)
    first = list(itertools.islice(numbered, _ROWS))
    found, texts = _keys([row for _, row in first])
    sample = {key: [as_text(row.get(key)) for _, row in first[:SAMPLED]] for key in found}

    def frames(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
        batch = first
        while batch:
            yield row_frame(batch, places)
            batch = list(itertools.islice(numbered, _ROWS))

    return Opened(found, texts, some_values(sample), frames, notes=notes)


def _exploded(numbered: Numbered, key: str) -> Numbered:
    """A row for each object of a list, in which the list's key holds the object; one without it where there is none."""
    for number, row in numbered:
        yield from ((number, inner) for inner in _each(row, key.split(".")))


def _each(row: dict[str, Any], keys: list[str]) -> Iterator[dict[str, Any]]:
    key, *deeper = keys
    value = row.get(key)
    if isinstance(value, str):
        value = python_value(value) if value[:1] in ("{", "[") else value
    for entry in (value or [None]) if isinstance(value, list) else [value]:
        if deeper and isinstance(entry, dict):
            yield from ({**row, key: inner} for inner in _each(entry, deeper))
        elif not deeper:
            yield {**row, key: entry}


def row_frame(rows: list[tuple[int, dict[str, Any]]], places: Mapping[str, Place]) -> pl.DataFrame:
    """Numbered rows of values as columns under tfrec's names, String but for columns of numbers alone, and `_row`."""
    values = {name: [_value(row, place) for _, row in rows] for name, place in places.items()}
    columns = {name: value_column(name, found) for name, found in values.items()}
    return pl.DataFrame({**columns, "_row": pl.Series([number for number, _ in rows], dtype=pl.UInt32)})


def _value(row: dict[str, Any], place: Place) -> Any:
    value = row.get(place.column)
    if place.steps and isinstance(value, str):
        value = python_value(value) if value[:1] in ("{", "[") else value
    return value_at(value, place.steps) if place.steps else value


def value_column(name: str, values: list[Any]) -> pl.Series:
    """Values as a column under one of tfrec's names: Float64 where all are numbers and should be, else texts."""
    if name in _NUMBERS:
        alone = [(value or [None])[0] if isinstance(value, list) and len(value) < 2 else value for value in values]
        if all(value is None or type(value) in (int, float) for value in alone):
            return pl.Series(name, alone, dtype=pl.Float64, strict=False)
    way = id_text if name in IDS else id_list_text if name in ID_LISTS else as_text
    return pl.Series(name, [way(value) for value in values], dtype=pl.String)


def _rows(path: Path, text: Path, table: TableConfig, notes: list[str]) -> Numbered:
    with open_bytes(text) as raw:
        start = raw.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        notes.append(f"{path.name} is one JSON list: its entries are the rows")
        return _stream(path, text)
    first = start.split(b"\n", 1)[0].strip()
    if first == b"{" or (first[:1] == b"{" and first[-1:] in (b"{", b"[", b",")):
        return _unwrapped(path, _stream(path, text), table, notes)
    return _unwrapped(path, _lines(path, text, notes), table, notes)


def _lines(path: Path, text: Path, notes: list[str]) -> Numbered:
    python = False
    actions = 0
    with open_bytes(text) as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            value = None
            if not python:
                try:
                    value = _object(path, number, line)
                except DataError:
                    value = _python_object(line)
                    if value is None or number > 1:
                        raise
                    python = True
                    notes.append(f"{path.name} holds dicts as Python writes them: read as such")
            else:
                value = _python_object(line)
                if value is None:
                    raise DataError(f"{path}, line {number} is no dict of Python, as the lines before are.")
            if len(value) == 1 and (name := next(iter(value))) in _ACTIONS and isinstance(value[name], dict):
                actions += 1
                if actions == 1:
                    notes.append(f"{path.name} is a bulk file: its action lines are passed over")
                continue
            yield number, value


def _python_object(line: bytes) -> dict[str, Any] | None:
    value = python_value(line.decode("utf-8", "replace").strip())
    return value if isinstance(value, dict) and all(isinstance(key, str) for key in value) else None


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode((line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode("utf-8"))
    except RepeatedKeyError as error:
        raise DataError(f"{path}, line {number} has the key {error.key!r} twice: keep the right one.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}, line {number} is not JSON ({error}): each line must hold one JSON object.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}, line {number} is a JSON {type(value).__name__}: each line must hold one JSON object.")
    return value


def _stream(path: Path, text: Path) -> Numbered:
    """The entries of a list, or objects one after the other, without the whole text in memory."""
    with open_bytes(text) as raw:
        import codecs

        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        rest, at, number, ended = "", 0, 0, False
        block = _BLOCK
        while True:
            at = _start_of_value(rest, at)
            if at < len(rest) and rest[at] == "]":
                return
            try:
                if at >= len(rest):
                    raise ValueError("the file is cut off")
                value, end = _DECODER.raw_decode(rest, at)
                if end == len(rest) and not ended:
                    raise ValueError("perhaps more digits follow")
            except RepeatedKeyError as error:
                raise DataError(
                    f"{path}, entry {number + 1} has the key {error.key!r} twice: keep the right one."
                ) from None
            except (ValueError, RecursionError) as error:
                more = raw.read(block)
                if not more and ended:
                    if at >= len(rest) and number:
                        return
                    raise DataError(f"{path}, entry {number + 1} is not JSON ({error}).") from None
                ended = not more
                rest, at = rest[at:] + decoder.decode(more, ended), 0
                block = min(block * 2, 64 << 20)  # a value longer than the block is not tried at each megabyte
                continue
            number += 1
            if not isinstance(value, dict):
                raise DataError(f"{path}, entry {number} is a JSON {type(value).__name__}: each must be an object.")
            yield number, value
            at, block = end, _BLOCK


def _start_of_value(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,[\ufeff":
        at += 1
    return at


def _unwrapped(path: Path, numbered: Numbered, table: TableConfig, notes: list[str]) -> Numbered:
    """The rows; where there is one alone, which holds one list of objects that no setting names, its entries."""
    first = list(itertools.islice(numbered, 2))
    if len(first) != 1:
        return itertools.chain(first, numbered)
    lists = [
        key for key, inner in first[0][1].items() if isinstance(inner, list) and inner and isinstance(inner[0], dict)
    ]
    named = [*filter(None, table.columns.values()), *filter(None, [getattr(table, "explode", None)])]
    if len(lists) != 1 or any(place_of(name, lists) for name in named):
        return iter(first)
    notes.append(f"{path.name} is one JSON object: the entries of its list {lists[0]!r} are the rows")
    return ((number, row) for number, row in enumerate(first[0][1][lists[0]], start=1) if isinstance(row, dict))


def _keys(objects: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """(every key, those whose values hold a text somewhere)."""
    every = dict.fromkeys(key for found in objects for key in found)
    texts = {key for found in objects for key, value in found.items() if _has_text(value)}
    return list(every), [key for key in every if key in texts]


def _has_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_text, value.values())) or any(inner is True for inner in value.values())
    return any(map(_has_text, value)) if isinstance(value, list) else isinstance(value, str)
