"""Which of a file's columns are read, under which of tfrec's names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from tfrec.config.files import TableConfig
from tfrec.data.tables.hints import nearest
from tfrec.data.tables.nested import Place, place_of
from tfrec.data.tables.opened import Opened
from tfrec.errors import DataError

OWN = ("text", "_row", "_file", "_count")  # names that preparing needs for itself


def picked(
    opened: Opened, path: Path, table: TableConfig, required: Sequence[str], optional: Sequence[str], section: str,
    further: bool,
) -> dict[str, Place]:  # fmt: skip
    """The columns to read.

    Args:
        opened: the file.
        path: where it is, for messages.
        table: with the mapping.
        required: columns, by tfrec's names, without which the table is useless.
        optional: columns that are taken when the file has them.
        section: name of the table in the configuration.
        further: also take every other column that may hold text, under the file's own name.

    Returns:
        tfrec's name -> place in the file.

    Raises:
        DataError: a column is missing, or named by a name that tfrec does not know.
    """
    known = [*required, *optional]
    odd = next((name for name in table.columns if name not in known and section != "items"), None)
    if odd is not None:
        near = difflib.get_close_matches(odd, known, n=1, cutoff=0.0)[0]
        raise DataError(f"data.{section}.columns names {odd!r}, which is unknown; the nearest name is {near!r}.")
    refused = [name for name, of in table.columns.items() if of is None]
    wrong = next((name for name in refused if name in required), None)
    if wrong is not None:
        raise DataError(f"data.{section}.columns refuses {wrong!r}, which {section} cannot do without.")
    columns = {name: of for name, of in table.columns.items() if of is not None}
    for name in known:
        if name not in columns and name not in refused and (name in opened.found or name in required):
            columns[name] = name
    places = {name: _place(name, of, opened, path, table, section) for name, of in columns.items()}
    mapped = {*places, *(place.column for place in places.values()), *refused, *OWN}
    more = {name: Place(name) for name in opened.texts if further and name not in mapped}
    return places | more


def filter_places(opened: Opened, path: Path, table: TableConfig, section: str) -> dict[str, Place]:
    """The columns of `where`, by the names that they are written under there."""
    return {name: _place(name, name, opened, path, table, f"{section}.where") for name in table.where}


def _place(name: str, of: str, opened: Opened, path: Path, table: TableConfig, section: str) -> Place:
    place = place_of(of, opened.found)
    if place is not None:
        if f"{of} (2)" in opened.found and not place.steps:
            raise DataError(
                f"{path}: the header names the column {of!r} twice: rename one, or set header: false and names."
            )
        return place
    taken = {column for column in table.columns.values() if column is not None} | set(table.columns)
    free = [column for column in opened.found if column not in taken]
    near = nearest(name, of, free, opened.sample)
    hint = f"; if {near!r} is meant, set data.{section}.columns: {{{name}: {near}}}" if near else ""
    if not near and table.header and any(column.replace(".", "").isdecimal() for column in opened.found):
        hint = "; if its first row is no header, set header: false and names"
    raise DataError(f"{path} has no column {of!r}; it has {', '.join(opened.found) or 'none'}{hint}.")
