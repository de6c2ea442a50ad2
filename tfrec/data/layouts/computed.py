"""Columns made of others: `{brand} {name}` in place of a column's name, `{sku|id}` for the first filled one."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from tfrec.data.ids import IDS

_FIELD = re.compile(r"\{([^{}]+)\}")
_WHOLE = r"^(-?\d+)\.0+$"  # a number that passed through floating point, as an id


def is_computed(name: str | None) -> bool:
    """Whether what the configuration gives as a column is made of several."""
    return name is not None and _FIELD.search(name) is not None


def fields_of(template: str) -> list[str]:
    """The file's columns that a template names, each once, in order."""
    return list(dict.fromkeys(part for field in _FIELD.findall(template) for part in field.split("|")))


def with_those_of(template: str, found: Collection[str]) -> str:
    """The template without alternatives that are not found, where another one of their field is."""

    def kept(field: re.Match[str]) -> str:
        there = [part for part in field.group(1).split("|") if part in found]
        return "{" + "|".join(there) + "}" if there else field.group(0)

    return _FIELD.sub(kept, template)


def computed(name: str, template: str, places: dict[str, str]) -> pl.Expr:
    """The column that a template stands for.

    Args:
        name: tfrec's.
        template: text with `{column}`, or `{column|other}` for the first of them that is filled.
        places: name of each of the template's fields in the frame.

    Returns:
        String, blanks at the ends removed.
    """
    parts: list[pl.Expr] = []
    at = 0
    for field in _FIELD.finditer(template):
        if field.start() > at:
            parts.append(pl.lit(template[at : field.start()]))
        columns = [pl.col(places[part]) for part in field.group(1).split("|")]
        parts.append(pl.coalesce(*[pl.when(column != "").then(column) for column in columns], pl.lit("")))
        at = field.end()
    if at < len(template):
        parts.append(pl.lit(template[at:]))
    text = pl.concat_str(parts).str.strip_chars()
    return (text.str.replace(_WHOLE, "$1") if name in IDS else text).alias(name)
