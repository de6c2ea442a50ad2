"""The objects of a JSON file, one after the other: a line each, entries of a list, or dicts as Python writes them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrec.config.files import TableConfig
from tfrec.data.tables.nested import place_of, python_value
from tfrec.data.tables.opened import Rejected, open_bytes
from tfrec.errors import DataError
from tfrec.json_text import RepeatedKeyError, once_each

_BLOCK = 1 << 20
_ALIKE = 3  # objects, from which the values of one are rows
_NO_JSON = 1_000  # lines without an object, after which a file is no JSON Lines
_DECODER = json.JSONDecoder(object_pairs_hook=once_each)
_NO_OBJECT = "a JSON {} and no object"
_ACTIONS = {"index", "create", "update", "delete"}

Numbered = Iterator[tuple[int, dict[str, Any]]]


def json_objects(path: Path, text: Path, table: TableConfig, notes: list[str], rejected: Rejected) -> Numbered:
    """The objects of a file, numbered by line, or by entry of a list.

    Args:
        path: the file, for messages.
        text: where it is as UTF-8, gzip or not.
        table: its settings.
        notes: gets what was found by looking.
        rejected: gets the lines and entries that are no objects.

    Raises:
        DataError: while they are read: see open_json.
    """
    with open_bytes(text) as raw:
        start = raw.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        notes.append(f"{path.name} is one JSON list: its entries are the rows")
        return _stream(path, text, rejected)
    first = start.split(b"\n", 1)[0].strip()
    if first == b"{" or (first[:1] == b"{" and first[-1:] in (b"{", b"[", b",")):
        return _unwrapped(path, _stream(path, text, rejected), table, notes, rejected)
    return _unwrapped(path, _lines(path, text, notes, rejected), table, notes, rejected)


def _lines(path: Path, text: Path, notes: list[str], rejected: Rejected) -> Numbered:
    python: bool | None = None  # until a line tells
    actions = 0
    with open_bytes(text) as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            value = _python_object(line) if python else None
            wrong = "no dict of Python, as the lines before are"
            if not python:
                value, wrong = _object(path, number, line)
                if value is None and python is None and (value := _python_object(line)) is not None:
                    notes.append(f"{path.name} holds dicts as Python writes them: read as such")
                    python = True
            if value is None:
                rejected.append((number, wrong))
                if python is None and len(rejected) >= _NO_JSON:
                    break
                continue
            python = bool(python)
            if len(value) == 1 and (name := next(iter(value))) in _ACTIONS and isinstance(value[name], dict):
                actions += 1
                if actions == 1:
                    notes.append(f"{path.name} is a bulk file: its action lines are passed over")
                continue
            yield number, value
    if python is None and rejected:
        number, wrong = rejected[0]
        raise DataError(f"{path}, line {number} is {wrong}: each line must hold one JSON object.")


def _python_object(line: bytes) -> dict[str, Any] | None:
    value = python_value(line.decode("utf-8", "replace").strip())
    return value if isinstance(value, dict) and all(isinstance(key, str) for key in value) else None


def _object(path: Path, number: int, line: bytes) -> tuple[dict[str, Any] | None, str]:
    """(the object of a line, None where it is none; what is wrong)."""
    try:
        value = _DECODER.decode((line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode("utf-8"))
    except RepeatedKeyError as error:
        raise DataError(f"{path}, line {number} has the key {error.key!r} twice: keep the right one.") from None
    except (ValueError, RecursionError) as error:
        reason = re.sub(r"( at)?: line \d+ column (\d+) \(char \d+\)$", r" at character \2", str(error))
        return None, f"not JSON ({reason})"
    return (value, "") if isinstance(value, dict) else (None, _NO_OBJECT.format(type(value).__name__))


def _stream(path: Path, text: Path, rejected: Rejected) -> Numbered:
    """The entries of a list, or objects one after the other, without the whole text in memory."""
    whole = False  # an object was there
    opened = 0  # lists that are not closed
    with open_bytes(text) as raw:
        import codecs

        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        rest, at, number, ended = "", 0, 0, False
        block = _BLOCK
        while True:
            at, lists = _start_of_value(rest, at)
            opened += lists
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
                    if at >= len(rest) and opened <= 0:
                        break
                    raise DataError(f"{path}, entry {number + 1} is not JSON ({error}).") from None
                ended = not more
                rest, at = rest[at:] + decoder.decode(more, ended), 0
                block = min(block * 2, 64 << 20)  # a value longer than the block is not tried at each megabyte
                continue
            number += 1
            if isinstance(value, dict):
                whole = True
                yield number, value
            else:
                rejected.append((number, _NO_OBJECT.format(type(value).__name__)))
            at, block = end, _BLOCK
    if rejected and not whole:
        raise DataError(f"{path}, entry {rejected[0][0]} is {rejected[0][1]}: each must be an object.")


def _start_of_value(text: str, at: int) -> tuple[int, int]:
    """(where the next value starts, lists that are opened before it less those that are closed)."""
    lists = 0
    while at < len(text) and text[at] in " \t\r\n,[]\ufeff":
        lists += (text[at] == "[") - (text[at] == "]")
        at += 1
    return at, lists


def _unwrapped(path: Path, numbered: Numbered, table: TableConfig, notes: list[str], rejected: Rejected) -> Numbered:
    """The rows; where there is one alone, which holds one list of objects that no setting names, its entries."""
    first = list(itertools.islice(numbered, 2))
    if len(first) != 1:
        return itertools.chain(first, numbered)
    lists = [
        key for key, inner in first[0][1].items() if isinstance(inner, list) and inner and isinstance(inner[0], dict)
    ]
    key = _key_of_objects(first[0][1])
    if key and not lists:
        notes.append(f"{path.name} is one JSON object: its values are the rows, their keys the column {key!r}")
        return ((number, {key: name, **row}) for number, (name, row) in enumerate(first[0][1].items(), start=1))
    named = [*filter(None, table.columns.values()), *filter(None, [getattr(table, "explode", None)])]
    if len(lists) != 1 or any(place_of(name, lists) for name in named):
        return iter(first)
    notes.append(f"{path.name} is one JSON object: the entries of its list {lists[0]!r} are the rows")
    entries = list(enumerate(first[0][1][lists[0]], start=1))
    rejected += [
        (number, _NO_OBJECT.format(type(row).__name__)) for number, row in entries if not isinstance(row, dict)
    ]
    return ((number, row) for number, row in entries if isinstance(row, dict))


def _key_of_objects(value: dict[str, Any]) -> str:
    """What the keys of an object are called whose values are objects of several common keys; "" for other objects."""
    rows = list(value.values())
    if len(rows) < _ALIKE or not all(isinstance(row, dict) and row for row in rows):
        return ""
    common = set(rows[0]).intersection(*rows)
    if len(common) < 2 or any(isinstance(row[key], dict) for row in rows[:_ALIKE] for key in common):
        return ""
    return "key" if any("id" in row for row in rows) else "id"
