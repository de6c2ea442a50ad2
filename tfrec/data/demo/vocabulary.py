"""The vocabulary of the demo shop in one language: how every key of `structure` is written and typed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache

from tfrec.data.demo.structure import SIZES, attribute_keys, product_types
from tfrec.errors import DataError

LANGUAGES = ("en", "zh")
# Columns of each table. shop: in titles and columns; shopper: in queries; text: in descriptions; vague: whole queries.
_COLUMNS = {
    "category": ("shop", "shopper"),
    "audience": ("shop", "shopper"),
    "colour": ("shop", "shopper"),
    "material": ("shop", "shopper", "text"),
    "style": ("shop", "shopper"),
    "feature": ("shop", "shopper", "text"),
    "use": ("shop", "shopper", "vague", "text"),
    "band": ("shop", "shopper"),
    "type": ("shop", "shopper"),
}


@dataclass(frozen=True)
class Vocabulary:
    """All words of one language.

    Attributes:
        language: "en" or "zh".
        tables: attribute -> column -> value index -> alternatives, most usual first.
        sizes: size scheme -> value index -> alternatives.
        patterns: "title" and "query" patterns: segments of slots.
        phrases: alternatives of each kind of sentence or noise.
        title_separators: what may stand between the segments of a title.
        joiner: what stands between the words of a segment: " " or "".
        brand_parts: starts, middles and ends of invented brand names.
        series: invented names of product lines; line i stands for use i.
        confusions: letter -> letters typed instead of it.
        price_factor: units of the shop's currency for one euro.
    """

    language: str
    tables: dict[str, dict[str, tuple[tuple[str, ...], ...]]]
    sizes: dict[str, tuple[tuple[str, ...], ...]]
    patterns: dict[str, tuple[tuple[tuple[str, ...], ...], ...]]
    phrases: dict[str, tuple[str, ...]]
    title_separators: tuple[str, ...]
    joiner: str
    brand_parts: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    series: tuple[str, ...]
    confusions: dict[str, str]
    price_factor: float

    def forms(self, attribute: str, column: str, value: int) -> tuple[str, ...]:
        """The alternatives for one value of one attribute."""
        return self.tables[attribute][column][value]


def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(form.strip() for form in text.split("; ") if form.strip())


def _table(name: str, text: str, keys: tuple[str, ...], language: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    rows = {}
    for line in text.strip().splitlines():
        key, rest = line.split(":", 1)
        rows[key.strip()] = [_alternatives(column) for column in rest.split("|")]
    if set(rows) != set(keys) or any(len(row) != len(_COLUMNS[name]) for row in rows.values()):
        wrong = sorted(set(rows) ^ set(keys)) or [key for key, row in rows.items() if len(row) != len(_COLUMNS[name])]
        raise DataError(
            f"Vocabulary '{language}', table '{name}': line(s) {', '.join(wrong)} are missing, unknown or incomplete."
        )
    return {column: tuple(rows[key][i] for key in keys) for i, column in enumerate(_COLUMNS[name])}


@lru_cache(maxsize=2)
def load_vocabulary(language: str) -> Vocabulary:
    """Loads and checks the tables of one language.

    Args:
        language: "en" or "zh".

    Returns:
        the vocabulary; every key of `structure` has its words.

    Raises:
        DataError: there is no such language, or a table lacks a key.
    """
    if language not in LANGUAGES:
        raise DataError(f"The demo shop has no language '{language}': choose one of {', '.join(LANGUAGES)}.")
    words = importlib.import_module(f"tfrec.data.demo.vocabulary_{language}")
    keys = attribute_keys() | {"type": tuple(kind.key for kind in product_types())}
    writing = words.WRITING
    brands = words.BRANDS
    sizes = {scheme: tuple(_alternatives(value) for value in values) for scheme, values in words.SIZES.items()}
    if {scheme: len(values) for scheme, values in sizes.items()} != SIZES or len(words.SERIES) < len(keys["use"]):
        raise DataError(f"Vocabulary '{language}': the sizes or the series do not fit the structure of the shop.")
    return Vocabulary(
        language=language,
        tables={name: _table(name, words.TABLES[name], keys[name], language) for name in _COLUMNS},
        sizes=sizes,
        patterns={
            kind: tuple(
                tuple(tuple(part.split()) for part in pattern.split("/")) for pattern in writing[f"{kind}_patterns"]
            )
            for kind in ("title", "query")
        },
        phrases={
            name: _alternatives(text) for name, text in writing.items() if isinstance(text, str) and name != "joiner"
        },
        title_separators=tuple(writing["title_separators"]),
        joiner=writing["joiner"],
        brand_parts=(tuple(brands["starts"]), tuple(brands["middles"]), tuple(brands["ends"])),
        series=tuple(words.SERIES),
        confusions=words.CONFUSIONS,
        price_factor=words.PRICE_FACTOR,
    )
