"""What things are called, found from where words stand in the titles of a catalogue."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tfrec.synth.templates.chunks import Chunk, is_measure
from tfrec.synth.templates.connectives import LACKING
from tfrec.synth.templates.words import Words, key

_LONGEST = 3  # words of a name
_LEAST_ITEMS = 3
_LEAST_SHARE = 0.25  # of a word's occurrences that end a chunk
_LATER = 0.75  # what a chunk counts for, against the one before
_USED_FOR = 0.3  # what a chunk after "for" counts for: "ladder for windows" is no window
_LEAST_LIFT = 3.0
_IN_CATEGORY = 4.0  # what a name counts for that the category has, too


class Head(NamedTuple):
    """The name of a thing inside a title.

    Attributes:
        chunk: its number among the chunks.
        start: first word of the name in the chunk.
        end: behind the last.
    """

    chunk: int
    start: int
    end: int


class Heads:
    """Counts of the phrases that end chunks, over a catalogue.

    In head-final languages, English and Chinese among them, the last word of a noun phrase says what the thing is.
    """

    def __init__(self) -> None:
        self._ends: Counter[Words] = Counter()
        self._all: Counter[Words] = Counter()
        self._titles = 0
        self._brand: dict[Words, str] = {}
        self._brands: set[Words] = set()
        self._categories: defaultdict[Words, Counter[str]] = defaultdict(Counter)

    def add(self, chunks: Sequence[Chunk], brand: str, category: str, skipped: frozenset[str]) -> None:
        """Counts a title.

        Args:
            chunks: of the title.
            brand: of the item, "" if unknown: a name that one brand alone uses is the name of its model.
            category: of the item, "" if unknown: what stands in all categories alike ("adjustable") names no thing.
            skipped: keys of words that name no things here: the item's brand and attributes.
        """
        self._titles += 1
        ends: set[Words] = set()
        inside: set[Words] = set()
        for chunk in chunks:
            end = end_of_name(chunk.words, skipped)
            for size in range(1, min(_LONGEST, end) + 1):
                ends.add(key(chunk.words[end - size : end]))
            inside.update(key((word,)) for word in chunk.words)
        self._ends.update(ends)
        self._all.update(inside)
        for phrase in ends:
            if self._brand.setdefault(phrase, brand) != brand:
                self._brands.add(phrase)
        if category:
            for phrase in sorted(inside):
                self._categories[phrase][category] += 1

    def is_name(self, phrase: Words) -> bool:
        """Whether enough items of several brands (or of no known one) have a chunk that ends with the phrase's key."""
        several = phrase in self._brands or self._brand.get(phrase) == ""
        return self._ends[phrase] >= _LEAST_ITEMS and several

    def find(self, chunks: Sequence[Chunk], category: Iterable[str], skipped: frozenset[str]) -> Head | None:
        """The best name in a title.

        Args:
            chunks: of the title.
            category: keys of the words of the category's name.
            skipped: see add.
        """
        in_category = frozenset(category)
        best, best_score, weight = None, 0.0, 1.0
        for number, chunk in enumerate(chunks):
            if chunk.link == LACKING:
                continue
            end = end_of_name(chunk.words, skipped)
            last = key(chunk.words[end - 1 : end])
            share = self._ends[last] / max(1, self._all[last]) if end else 0.0
            if end and share >= _LEAST_SHARE and self.is_name(last):
                score = weight * share * math.log1p(self._ends[last]) * self._concentration(last)
                score *= _IN_CATEGORY if in_category.intersection(last) else 1.0
                score *= 1.0 if chunk.link == "" else _USED_FOR if number else 0.5
                if score > best_score:
                    best, best_score = Head(number, self._start(chunk.words, end, skipped), end), score
            weight *= _LATER
        return best

    def _concentration(self, word: Words) -> float:
        """Share of a word's items that are of one category, squared; 1 where the shop has no categories."""
        counts = self._categories.get(word)
        return (max(counts.values()) / sum(counts.values())) ** 2 if counts else 1.0

    def _lift(self, part: Words) -> float:
        """How much oftener a name follows its first word than by chance: "leather" stands before everything."""
        first, rest = self._all[key(part[:1])], self._all[key(part[1:])] or self._ends[key(part[1:])]
        return self._ends[key(part)] * self._titles / max(1, first * rest)

    def _start(self, words: Words, end: int, skipped: frozenset[str]) -> int:
        start = end - 1
        for size in range(2, min(_LONGEST, end) + 1):
            part = words[end - size : end]
            if not self.is_name(key(part)) or skipped.intersection(key(part)) or any(map(is_measure, part)):
                break
            if self._lift(part) < _LEAST_LIFT:
                break
            start = end - size
        return start


def end_of_name(words: Words, skipped: frozenset[str]) -> int:
    """Where a name that ends a chunk ends: before measures, sizes, colours and the like; 0 where nothing is left."""
    end = len(words)
    while end and (is_measure(words[end - 1]) or skipped.issuperset(key(words[end - 1 : end]))):
        end -= 1
    return end
