"""Which columns of a catalogue hold words that shoppers may type, and which are codes, numbers, dates or addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

RESERVED = frozenset({"item_id", "text", "image", "price"})
_LOOKED_AT = 2_000
_NUMBER = re.compile(r"[^\w]*[-+]?\d[\d.,'\s]*\s*(?:%|[€$£¥₹]|[A-Z]{3})?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?.*")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|www\.|//|data:)\S.*|\S*[/\\]\S*\.\w{2,5}|\S+\.(?:jpe?g|png|gif|webp|pdf|html?)", re.I
)
_CODE = re.compile(r"(?=.*\d)[\w.:/#-]+|[0-9a-fA-F]{16,}")
_FLAG = re.compile(r"true|false|yes|no|y|n|t|f|none|null|nan|n/a|0|1", re.I)
_ALL_DIFFERENT = 0.95


@dataclass(frozen=True)
class TextColumn:
    """A column of words.

    Attributes:
        name: in the catalogue.
        filled: share of the items that have a value, above 0.
        words: white-space separated words of a filled value, the mean.
    """

    name: str
    filled: float
    words: float


def text_columns(items: pl.DataFrame) -> list[TextColumn]:
    """The text columns of a prepared catalogue, in its order.

    Left out are ids, the rendered text, pictures and prices, and whatever `holds_text` refuses.

    Args:
        items: one row per item; "" where a value is missing.
    """
    found = []
    for name, kind in items.schema.items():
        if name in RESERVED or kind != pl.String:
            continue
        filled = items[name].filter(items[name].str.contains(r"\S"))
        if len(filled) and (name == "title" or holds_text(filled)):
            words = plain_texts(filled.gather_every(max(1, len(filled) // _LOOKED_AT)))
            mean = sum(len(text.split()) for text in words) / len(words)
            found.append(TextColumn(name, len(filled) / items.height, mean))
    return found


def holds_text(values: pl.Series) -> bool:
    """Whether most values are words: no numbers, dates, yes or no, addresses, or codes of which each item has its own.

    Args:
        values: String [N], filled ones only, at least one.
    """
    looked = plain_texts(values.gather_every(max(1, len(values) // _LOOKED_AT)))
    own = values.n_unique() >= _ALL_DIFFERENT * len(values) and len(values) > 1
    refused = [_NUMBER, _DATE, _ADDRESS, _FLAG, *([_CODE] if own else [])]
    words = sum(not any(pattern.fullmatch(text.strip()) for pattern in refused) for text in looked)
    return words > len(looked) / 2


def plain_texts(values: Iterable[str]) -> list[str]:
    """The values as text to be searched: what JSON objects and lists hold, without their keys and marks.

    Of `{"material": "oak", "waterproof": true, "glass": false}` shoppers may type "oak" and "waterproof".
    """
    return [_plain(value) for value in values]


def _plain(value: str) -> str:
    if value[:1] in "{[" and value[-1:] in "}]" and value:
        try:
            return " ".join(_words(json.loads(value)))
        except (ValueError, RecursionError):
            return value
    return value


def _words(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [key] if inner is True else _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
