"""A folder's files, opened: the columns of each, its first rows, or why it cannot be read."""

from __future__ import annotations

import functools
import itertools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.rows import RowsConfig
from tfrec.data.discovery.columns import Column, look_at
from tfrec.data.discovery.names import NAMED, likeness
from tfrec.data.layouts.headers import data_files
from tfrec.data.layouts.spelling import form_of
from tfrec.data.tables.files import bare_name
from tfrec.data.tables.read import opened_file, read_table
from tfrec.errors import DataError

ROWS = 20_000  # that are looked at
_DECODER = json.JSONDecoder()
_VALUE = re.compile(r"[-+]?\d+(?:[.,]\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?|https?://.*")
_LISTS = {
    "variants", "skus", "offers", "lineitems", "items", "events", "products", "lines", "orderlines", "orderitems",
    "positions", "positionen", "artikel", "actions", "clicks", "purchases", "basket", "cart", "interactions", "history",
}  # fmt: skip
_DEEPEST = 3
_MOST_KEYS = 20  # objects with more are tables of attributes: texts of the item


@dataclass
class Seen:
    """A file that was looked at.

    Attributes:
        path: where it is.
        name: relative to the folder.
        top: its own columns, nested values not taken apart.
        settings: of the table, beyond what is found by looking (explode, header).
        frame: its first rows, String columns under the file's own names (a.b for nested ones).
        whole: whether these are all of its rows.
        notes: what was found by looking.
        refused: why it cannot be read; "" where it can.
    """

    path: Path
    name: str
    top: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    frame: pl.DataFrame = field(default_factory=pl.DataFrame)
    whole: bool = True
    notes: list[str] = field(default_factory=list)
    refused: str = ""

    @functools.cached_property
    def columns(self) -> dict[str, Column]:
        """What each column looks like."""
        return {name: look_at(self.frame[name]) for name in self.frame.columns}

    @property
    def header(self) -> list[str]:
        """The file's columns."""
        return self.frame.columns


def look(root: Path) -> list[Seen]:
    """Opens every file of a folder that may hold a table.

    Raises:
        DataError: there is no such folder.
    """
    return [_seen(path, root) for path in data_files(root)]


def _seen(path: Path, root: Path) -> Seen:
    name = path.relative_to(root).as_posix()
    seen = Seen(path, name)
    try:
        table = RowsConfig(path=name)
        with opened_file(path, table) as opened:
            top, sample, seen.notes = opened.found, opened.sample, list(opened.notes)
        if _is_data(top, path):
            names = [f"column {number}" for number in range(1, len(top) + 1)]
            seen.settings = {"header": False, "names": names}
            seen.notes.append(f"{name} has no header: its first row is data")
            top, sample, table = names, {}, RowsConfig(path=name, **seen.settings)
        seen.top = top
        nested = {column: _inside(column, sample.get(column, [])) for column in top}
        deeper = {
            place: (True, keys) for column in top for place, keys in _lists_inside(column, sample.get(column, []))
        }
        of_items = _lists_of_items({**nested, **deeper})
        if len(of_items) == 1 and len(top) > 1:
            seen.settings["explode"] = of_items[0]
            table = table.model_copy(update={"explode": of_items[0]})
        places: list[str] = []
        for column in top:
            is_list, keys = nested[column]
            apart = 0 < len(keys) <= _MOST_KEYS and (not is_list or seen.settings.get("explode") == column)
            places += [f"{column}.{key}" for key in keys] if apart else [column]
        exploded = seen.settings.get("explode", "")
        if exploded in deeper:
            places = [place for place in places if place not in (exploded, exploded.split(".")[0])]
            places += [f"{exploded}.{key}" for key in deeper[exploded][1]]
        seen.frame, seen.whole = _first_rows(table, root, places)
    except DataError as error:
        seen.refused = str(error)
    return seen


def _lists_of_items(nested: dict[str, tuple[bool, list[str]]]) -> list[str]:
    """The columns that hold lists of a shopper's items, or of a product's variants."""
    named = [
        column
        for column, (is_list, keys) in nested.items()
        if is_list and any(likeness("item_id", key) >= NAMED for key in keys)
    ]
    told = [column for column in named if form_of(column.rpartition(".")[2]) in _LISTS]
    return told or [column for column in named if any(_is_item(key) for key in nested[column][1])]


def _is_item(key: str) -> bool:
    return likeness("item_id", key) >= NAMED and key.casefold() not in ("id", "code", "reference", "ref", "name")


def _is_data(top: list[str], path: Path) -> bool:
    """Whether what should be a text file's header looks like a row."""
    if bare_name(path).lower().endswith((".json", ".jsonl", ".ndjson", ".parquet", ".xml")) or not top:
        return False
    values = sum(_VALUE.fullmatch(cell.removesuffix(" (2)").strip()) is not None for cell in top)
    return values >= max(1, 0.3 * len(top))


def _first_rows(table: RowsConfig, root: Path, places: list[str]) -> tuple[pl.DataFrame, bool]:
    names = {f"c{number}": place for number, place in enumerate(places)}
    table = table.model_copy(update={"columns": dict(names)})
    parts: list[pl.DataFrame] = []
    rows = 0
    batches = read_table(table, root, list(names), (), "items")
    for batch in batches:
        if batch.frame.width:
            parts.append(batch.frame.drop("_row"))
            rows += batch.frame.height
        if rows > ROWS:
            break
    whole = rows <= ROWS and next(itertools.islice(batches, 1), None) is None
    frame = (
        pl.concat(parts)
        if parts
        else pl.DataFrame({name: [] for name in names}, schema=dict.fromkeys(names, pl.String))
    )
    return frame.head(ROWS).rename(names), whole


def _inside(name: str, values: list[str]) -> tuple[bool, list[str]]:
    """(whether the values are lists of objects, the keys of the objects, nested ones with dots)."""
    is_list, keys = form_of(name) in _LISTS, dict[str, None]()  # of a list with one object its text does not tell
    looked = values[:50]
    for text in looked:
        if not text.startswith("{") and not text.startswith("[{"):
            return False, []
        try:
            value, end = _DECODER.raw_decode(text)
        except ValueError:
            return False, []
        is_list = is_list or isinstance(value, list) or text[end:].lstrip().startswith("{")
        for entry in value if isinstance(value, list) else [value]:
            keys.update(dict.fromkeys(_keys(entry, _DEEPEST)))
    return is_list, list(keys)


def _lists_inside(name: str, values: list[str]) -> list[tuple[str, list[str]]]:
    """Lists of objects within a column's objects: (place, keys of their objects)."""
    found: dict[str, dict[str, None]] = {}
    for text in values[:50]:
        if text[:1] != "{":
            return []
        try:
            value = _DECODER.raw_decode(text)[0]
        except ValueError:
            return []
        for key, inner in value.items():
            if isinstance(inner, list) and inner and isinstance(inner[0], dict):
                keys = found.setdefault(f"{name}.{key}", {})
                keys.update(dict.fromkeys(place for entry in inner for place in _keys(entry, _DEEPEST)))
    return [(place, list(keys)) for place, keys in found.items()]


def _keys(value: Any, depth: int) -> list[str]:
    found: list[str] = []
    for key, inner in value.items() if isinstance(value, dict) else ():
        deeper = _keys(inner, depth - 1) if isinstance(inner, dict) and depth > 1 else []
        found += [f"{key}.{name}" for name in deeper] or [key]
    return found
