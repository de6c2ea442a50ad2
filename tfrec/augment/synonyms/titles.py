"""Synonyms from products that are listed twice: their titles say the same in other words."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import polars as pl

from tfrec.augment.synonyms.table import Pair
from tfrec.augment.synonyms.words import LONGEST_CHARACTERS, LONGEST_WORDS, Unit, same_words, segments, written

_SAME = ("brand", "color", "description")
_LEAST_DESCRIPTION = 40  # characters; shorter ones are shared by products that have nothing else in common
_MOST_TWINS = 6  # a description on more products is a text of the brand or the category
_LEAST_ALIKE = 0.6
_DOUBT = 0.5


def from_titles(items: pl.DataFrame, least_brands: int = 2) -> list[Pair]:
    """Pairs of phrases that were exchanged between the titles of duplicate products.

    Two items are duplicates when brand, colour and a long description are the same and their titles are alike.

    Args:
        items: the catalogue: title, and brand, color, description if the shop has them.
        least_brands: of how many brands the products must be; one brand may sell what only looks the same.

    Returns:
        the pairs with source "titles"; none when the shop has no descriptions.
    """
    if not {"description", "brand", "title"} <= set(items.columns):
        return []
    brands: dict[tuple[str, str], set[str]] = defaultdict(set)
    long = items.filter(pl.col("description").str.len_chars() >= _LEAST_DESCRIPTION)
    same = [name for name in _SAME if name in items.columns]
    for twins in long.group_by(same, maintain_order=True).agg("title").iter_rows(named=True):
        titles = sorted(set(twins["title"]))
        if 2 <= len(titles) <= _MOST_TWINS:
            for pair in _exchanged(titles):
                brands[pair].add(twins["brand"])
    found = [(pair, len(names)) for pair, names in sorted(brands.items()) if len(names) >= least_brands]
    return [Pair(*pair, "titles", 1 - _DOUBT**count, count) for pair, count in found]


def _exchanged(titles: Sequence[str]) -> Iterator[tuple[str, str]]:
    units = [[unit for segment in parts for unit in segment] for parts in segments(titles)]
    for first, second in combinations(units, 2):
        matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
        if matcher.ratio() < _LEAST_ALIKE:
            continue
        for kind, start, end, other_start, other_end in matcher.get_opcodes():
            phrases = first[start:end], second[other_start:other_end]
            if kind == "replace" and all(_short(phrase) for phrase in phrases):
                a, b = sorted(map(written, phrases))
                if not same_words(a, b):
                    yield a, b


def _short(phrase: Sequence[Unit]) -> bool:
    """Whether a phrase is no longer than the operations' and holds more than one character."""
    if any(unit.single for unit in phrase):
        return 2 <= len(phrase) <= LONGEST_CHARACTERS
    return 1 <= len(phrase) <= LONGEST_WORDS
