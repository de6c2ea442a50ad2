"""Brands, colours, sizes and what else columns hold, found in queries by the columns' own values."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tfrec.data.text_columns import text_columns
from tfrec.retrieval.postings import Postings
from tfrec.tensorflow_setup import tf
from tfrec.understanding.normal_form import Words, normal, words_of

Tensor = Any
Keys = Callable[[Words], Tensor]
LONGEST = 5  # words of a value
_MOST_WORDS, _MOST_DISTINCT = 4.0, 0.5  # of a column whose values are attributes and not descriptions
_MOST_VALUES = 200_000
_LOOKED_AT, _BLOCK = 50_000, 5_000
_AGREEING = 0.25
_NO_ATTRIBUTE = frozenset({"title", "description", "category"})
_PARTED = re.compile(r"\s*[,;/|+]\s*|\s+(?:&|and|und|et|y|e)\s+")


@dataclass(frozen=True)
class AttributeValues:
    """Values of a catalogue's columns.

    Attributes:
        columns: A names.
        column: of every value, int64 [V].
        names: of every value, as most items write it.
        phrases: of every value, its words' keys with one blank between.
        starts, items: value v is that of items[starts[v] : starts[v + 1]], int64 [V + 1] and int32 [P].
    """

    columns: list[str]
    column: np.ndarray
    names: list[str]
    phrases: list[str]
    starts: np.ndarray
    items: np.ndarray

    @classmethod
    def of(cls, items: pl.DataFrame, wanted: Sequence[str] | None, keys: Keys) -> AttributeValues:
        """Learns the values of a catalogue.

        A value that titles hold mostly of items with another value (a brand named "Home") is none that a query means.

        Args:
            items: the prepared catalogue.
            wanted: names of columns; None takes those whose values are short and of several items each.
            keys: words -> what tells words apart, string [T].
        """
        columns = attribute_columns(items) if wanted is None else list(wanted)
        found: dict[tuple[int, str], list[int]] = {}
        written: dict[tuple[int, str], Counter[str]] = {}
        for number, name in enumerate(columns):
            for row, value in enumerate(items[name].cast(pl.String).fill_null("").to_list()):
                for part in parts_of(value):
                    key = (number, part.casefold())
                    rows = found.setdefault(key, [])
                    if not rows or rows[-1] != row:
                        rows.append(row)
                        written.setdefault(key, Counter())[part] += 1
        kept = sorted(found, key=lambda key: (-len(found[key]), key))[:_MOST_VALUES]
        phrases = _phrases([key[1] for key in kept], keys)
        chosen: dict[str, int] = {}  # of columns that share a value the one with more items has it
        for place, phrase in enumerate(phrases):
            if phrase and phrase.count(" ") < LONGEST:
                chosen.setdefault(phrase, place)
        places = list(chosen.values())
        owners = [found[kept[place]] for place in places]
        values = cls(
            columns,
            np.array([kept[place][0] for place in places], np.int64),
            [written[kept[place]].most_common(1)[0][0] for place in places],
            list(chosen),
            np.concatenate([[0], np.cumsum([len(some) for some in owners])]).astype(np.int64),
            np.array([row for some in owners for row in some], np.int32),
        )
        return values._only(_agreeing(values, items, keys))

    def _only(self, kept: np.ndarray) -> AttributeValues:
        places = np.flatnonzero(kept)
        lengths = np.diff(self.starts)[places]
        pairs = np.repeat(kept, np.diff(self.starts))
        return AttributeValues(
            self.columns, self.column[places], [self.names[p] for p in places], [self.phrases[p] for p in places],
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), self.items[pairs],
        )  # fmt: skip


class Attributes(tf.Module):  # type: ignore[misc]
    """Finds attribute values in the words of queries.

    Args:
        values: of the catalogue.
        size: N, number of items.
    """

    def __init__(self, values: AttributeValues, size: int) -> None:
        super().__init__(name="attributes")
        self.columns, self.count = values.columns, len(values.names)
        self._names = tf.constant([*values.names, ""], tf.string)
        self._column = tf.constant([*values.column.tolist(), 0], tf.int64)
        rows = tf.range(max(1, self.count), dtype=tf.int64)
        phrases = tf.constant(values.phrases or ["\x1d"], tf.string)
        self._table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(phrases, rows), default_value=-1)
        starts = values.starts if self.count else np.zeros(2, np.int64)
        self.items = Postings(starts, values.items, np.ones(len(values.items), np.float32), size)

    def spans(self, words: Words, keys: Tensor) -> Tensor:
        """Values that begin at each word, by their length: int64 [T, 5]; -1 for none or for a part of a longer one.

        Args:
            words: T words of queries.
            keys: what tells words apart, string [T].
        """
        following = words.window(keys, 0, LONGEST, "")
        phrase, found = following[:, 0], []
        for length in range(1, LONGEST + 1):
            if length > 1:
                last = following[:, length - 1]
                phrase = tf.where(tf.equal(last, ""), "", tf.strings.join([phrase, last], " "))
            found.append(self._table.lookup(phrase))
        values = tf.stack(found, axis=1)
        # the longest value that goes over each word; one that a longer value goes over is no value
        lengths = tf.range(1, LONGEST + 1)
        here = tf.where(values >= 0, lengths, 0)
        over = tf.linalg.band_part(tf.ones([LONGEST, LONGEST], tf.int32), 0, -1)  # [offset, length]
        offsets = tf.range(LONGEST)
        reach = tf.reduce_max(here[:, tf.newaxis] * over, axis=2)
        longest = tf.reduce_max(
            tf.stack([words.following(reach[:, offset], -offset, 0) for offset in range(LONGEST)], axis=1), axis=1
        )
        covering = words.window(longest, 0, LONGEST, 0)
        inside = offsets[:, tf.newaxis] < lengths
        most = tf.reduce_max(covering[:, :, tf.newaxis] * tf.cast(inside, tf.int32), axis=1)
        return tf.where(most <= lengths, values, np.int64(-1))

    def chosen(self, words: Words, spans: Tensor, denied: Tensor) -> Tensor:
        """For every query and column the longest value, the first of several: int64 [B, A], -1 for none.

        Args:
            words: T words of B queries.
            spans: see `spans`.
            denied: words that the query does not want, bool [T].
        """
        best = tf.fill(tf.stack([words.texts, np.int64(max(1, len(self.columns)))]), np.int64(-1))
        touched = tf.math.cumsum(tf.cast(words.window(denied, 0, LONGEST, False), tf.int32), axis=1) > 0
        at = tf.where((spans >= 0) & ~touched)  # [M, 2], word and length - 1
        values = tf.gather_nd(spans, at)
        order = at[:, 1] * np.int64(1 << 24) + np.int64(1 << 23) - at[:, 0]
        cells = tf.stack([tf.gather(words.rows, at[:, 0]), tf.gather(self._column, values)], axis=1)
        count = np.int64(max(1, self.count))
        best = tf.tensor_scatter_nd_max(best, cells, order * count + values)
        return tf.where(best >= 0, best % count, np.int64(-1))

    def conditions(self, chosen: Tensor) -> Tensor:
        """Values int64 [B, A] as conditions on their columns, string [B, A]: "brand=Acme", "" for none."""
        none = chosen < 0
        values = tf.where(none, np.int64(self.count), chosen)
        names = tf.constant([f"{name}=" for name in self.columns or [""]])[tf.newaxis]
        return tf.where(
            none, "", tf.strings.join([tf.broadcast_to(names, tf.shape(values)), tf.gather(self._names, values)])
        )


def attribute_columns(items: pl.DataFrame) -> list[str]:
    """Text columns with short values of which most are those of several items."""
    found = []
    for column in text_columns(items):
        if column.name in _NO_ATTRIBUTE or column.words > _MOST_WORDS:
            continue
        filled = items[column.name].filter(items[column.name].str.contains(r"\S"))
        if filled.n_unique() <= max(1.0, _MOST_DISTINCT * len(filled)):
            found.append(column.name)
    return found


def parts_of(value: str) -> list[str]:
    """What a cell holds: "Black/White" is two values, and so is '["Black", "White"]'."""
    if value[:1] == "[" and value[-1:] == "]":
        try:
            cells = [str(cell) for cell in json.loads(value) if isinstance(cell, str | int | float)]
        except (ValueError, RecursionError, TypeError):
            cells = [value]
    else:
        cells = [value]
    parts = [part.strip() for cell in cells for part in [cell, *_PARTED.split(cell)]]
    return list(dict.fromkeys(part for part in parts if part))


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, Words]]:
    for start in range(0, len(texts), _BLOCK):
        yield start, words_of(normal(tf.constant(list(texts[start : start + _BLOCK]), tf.string)))


def _phrases(values: Sequence[str], keys: Keys) -> list[str]:
    found: list[str] = []
    for _, words in _blocks(values):
        joined = words.joined(tf.not_equal(words.flat, ","), keys(words))
        found += [text.decode() for text in joined.numpy()]
    return found


def _agreeing(values: AttributeValues, items: pl.DataFrame, keys: Keys) -> np.ndarray:
    """Of which values the titles that hold them are mostly those of items with that value, bool [V]."""
    count = len(values.names)
    if not count:
        return np.zeros(0, bool)
    size = items.height
    every = max(1, size // _LOOKED_AT)
    titles = items["title"].fill_null("").to_list()[::every]
    owners = np.repeat(np.arange(count), np.diff(values.starts)) * size + values.items
    owners.sort()
    filled = np.stack(
        [items[name].cast(pl.String).fill_null("").str.contains(r"\S").to_numpy() for name in values.columns]
    )
    finder = Attributes(values, size)
    held, right = np.zeros(count), np.zeros(count)
    for start, words in _blocks(titles):
        spans = finder.spans(words, keys(words)).numpy()
        at = np.argwhere(spans >= 0)
        found, rows = spans[at[:, 0], at[:, 1]], (words.rows.numpy()[at[:, 0]] + start) * every
        known = filled[values.column[found], rows]
        found, rows = found[known], rows[known]
        pairs = found * size + rows
        places = np.minimum(np.searchsorted(owners, pairs), len(owners) - 1)
        np.add.at(held, found, 1)
        np.add.at(right, found, owners[places] == pairs)
    return (right + 1) / (held + 2) >= _AGREEING
