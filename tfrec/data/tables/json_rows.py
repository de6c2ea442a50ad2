"""Reading JSON as batches of the wanted keys plus `_row`: an object a line, a list of objects, or Python's dicts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.ids import ID_LISTS, IDS, LISTED, as_text, id_list_text, id_text, listed_text
from tfrec.data.tables.encoding import as_utf8
from tfrec.data.tables.json_objects import Numbered, json_objects
from tfrec.data.tables.nested import Place, python_value, value_at
from tfrec.data.tables.opened import SAMPLED, Opened, Rejected, some_values

_ROWS = 20_000
_NUMBERS = ("price", "gain", "weight", "quantity")


def open_json(path: Path, table: TableConfig, stack: ExitStack) -> Opened:
    """Opens JSON Lines (rows are line numbers), a JSON list (rows count from 1), or lines of Python's dicts.

    Lists are joined with a space. The action lines of a bulk file (Elasticsearch, OpenSearch) are passed over.

    A line that is no object is a fault of its own, as when a download was broken off; the others are read.

    Raises:
        DataError: also while rows are read: no line is an object, one has a key twice, a list is broken.
    """
    notes: list[str] = []
    rejected: Rejected = []
    text = as_utf8(path, table.encoding, notes, stack).path
    numbered = json_objects(path, text, table, notes, rejected)
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

    return Opened(found, texts, some_values(sample), frames, rejected, notes)


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
    way = id_text if name in IDS else id_list_text if name in ID_LISTS else listed_text if name in LISTED else as_text
    return pl.Series(name, [way(value) for value in values], dtype=pl.String)


def _keys(objects: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """(every key, those whose values hold a text somewhere)."""
    every = dict.fromkeys(key for found in objects for key in found)
    texts = {key for found in objects for key, value in found.items() if _has_text(value)}
    return list(every), [key for key in every if key in texts]


def _has_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_text, value.values())) or any(inner is True for inner in value.values())
    return any(map(_has_text, value)) if isinstance(value, list) else isinstance(value, str)
