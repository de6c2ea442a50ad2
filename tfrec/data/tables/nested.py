"""Places in nested values: `price.amount`, `offers/0/price`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a value stands in a row.

    Attributes:
        column: the file's column, or the outermost key.
        steps: the keys or list positions below it; a key that meets a list is looked up in each of its entries.
    """

    column: str
    steps: tuple[str, ...] = ()


def place_of(name: str, found: Collection[str]) -> Place | None:
    """The place that a name in the configuration means; None where the file has no such column.

    Args:
        name: a column, or a column and keys with dots or slashes between; a column of that very name comes first.
        found: the file's columns.
    """
    if name in found:
        return Place(name)
    for cut in sorted((match.start() for match in re.finditer(r"[./]", name)), reverse=True):
        if name[:cut] in found and name[cut + 1 :]:
            return Place(name[:cut], tuple(re.split(r"[./]", name[cut + 1 :])))
    return None


def value_at(value: Any, steps: tuple[str, ...]) -> Any:
    """What lies below a value; None where nothing does, a list where a key meets one."""
    for at, step in enumerate(steps):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list):
            if step.isdecimal():
                value = value[int(step)] if int(step) < len(value) else None
            else:
                found = (value_at(entry, steps[at:]) for entry in value)
                return [inner for inner in found if inner is not None]
        else:
            return None
    return value


def value_of(text: str) -> Any:
    """The value that a cell holds as JSON, or as Python writes lists and dicts; the text itself where it is neither."""
    if text[:1] not in "{[" or not text:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return python_value(text)


def python_value(text: str) -> Any:
    """A literal of Python, evaluated safely; the text itself where it is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
