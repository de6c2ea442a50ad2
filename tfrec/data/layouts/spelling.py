"""A layout's columns as a file spells them: case, blanks and signs do not count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SIGNS = re.compile(r"[\W_]+")


def form_of(name: str) -> str:
    """A column's name without case, blanks and signs: Product ID, product_id and productId are one."""
    return _SIGNS.sub("", name).casefold() or name.strip()


def spelling(columns: list[str]) -> dict[str, str]:
    """Columns by the form in which layouts are compared with them."""
    return {form_of(name): name for name in reversed(columns)}


def place_of(name: str, found: Mapping[str, str]) -> str | None:
    """The spelling of a column, or of the column at the head of a place in nested values."""
    if (whole := _column(name, found)) is not None:
        return whole
    for sign in (".", "/"):
        head, cut, rest = name.partition(sign)
        if cut and (outer := _column(head, found)) is not None:
            return f"{outer}{sign}{rest}"
    return None


def as_list(value: Any) -> list[str]:
    """The names of columns that an entry of a layout gives, one or several."""
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


def _column(name: str, found: Mapping[str, str]) -> str | None:
    """The file's own spelling of a column."""
    return found.get(form_of(name))
