"""Filling shapes with the fields of an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tfrec.synth.templates.alignment import Shape
from tfrec.synth.templates.connectives import LACKING, kind_of
from tfrec.synth.templates.fields import Fields, Item
from tfrec.synth.templates.parts import BRAND, CATEGORY, TYPE
from tfrec.synth.templates.words import Words, key

DRAWS = 12  # random numbers that a query needs at most
_NAMES = frozenset({BRAND, CATEGORY, TYPE})
_RARE = 10  # items that have a word
_TRIES = 4  # phrases tried for what an item lacks


class Filler:
    """Draws a shape that an item can fill, and fills it.

    Args:
        fields: of the catalogue.
        weights: shape -> share.
        max_words: of a query.
    """

    def __init__(self, fields: Fields, weights: Mapping[Shape, float], max_words: int) -> None:
        self.fields = fields
        self.shapes = list(weights)
        self._weights = np.array([weights[shape] for shape in self.shapes], np.float64)
        self._needs = [frozenset(part[1:-1] for part in shape if part.startswith("{")) for shape in self.shapes]
        self._max_words = max_words
        self._choices: dict[frozenset[str], tuple[np.ndarray, np.ndarray]] = {}

    def share(self, shape: int) -> float:
        """Of a shape among the best one's: 1 for the most usual."""
        return float(self._weights[shape] / self._weights.max())

    def fill(self, number: int, draws: Sequence[float]) -> tuple[list[str], int] | None:
        """A query for an item.

        Args:
            number: of the item in the fields.
            draws: DRAWS numbers in [0, 1).

        Returns:
            its words and the number of its shape; None when the item cannot fill the drawn shape sensibly.
        """
        item = self.fields.items[number]
        shapes, shares = self._fillable(item)
        if not len(shapes):
            return None
        shape = int(shapes[min(int(np.searchsorted(shares, draws[0], "right")), len(shapes) - 1)])
        words: list[str] = []
        used: set[str] = set()
        for place, part in enumerate(self.shapes[shape], 1):
            if not part.startswith("{"):
                words.append(part)
                continue
            phrase = self._phrase(item, part[1:-1], draws[place % DRAWS], used)
            if phrase is None:
                return None
            words.extend(phrase)
            used.update(unit for word in phrase if kind_of(word) is None for unit in key([word]))
        while words and kind_of(words[-1]) is not None:
            words.pop()
        while words and kind_of(words[0]) is not None:
            words.pop(0)
        return (words, shape) if 0 < len(words) <= self._max_words and self._says_enough(words, shape) else None

    def _says_enough(self, words: list[str], shape: int) -> bool:
        """A single word must name a kind of thing or a brand, or be rare: "deluxe" is no query."""
        named = not _NAMES.isdisjoint(self._needs[shape])
        return len(words) > 1 or named or self.fields.vocabulary[words[0]] <= _RARE

    def _fillable(self, item: Item) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the shapes that an item can fill, and their cumulative shares."""
        has = frozenset(item.slots)
        contrast = self.fields.contrasts.get(key(item.slots[TYPE][0])) if TYPE in item.slots else None
        if contrast:
            has |= {LACKING}
        found = self._choices.get(has)
        if found is None:
            shapes = np.array([number for number, needs in enumerate(self._needs) if needs <= has], np.int64)
            shares = np.cumsum(self._weights[shapes])
            found = self._choices[has] = shapes, shares / shares[-1] if len(shapes) else shares
        return found

    def _phrase(self, item: Item, slot: str, draw: float, used: set[str]) -> Words | None:
        """A phrase for a slot, none of whose words is in the query already."""
        options = item.slots.get(slot)
        if options is None:
            return self._lacking(item, draw, used) if slot == LACKING else None
        first = int(draw * len(options))
        for step in range(len(options)):
            phrase = options[(first + step) % len(options)]
            if used.isdisjoint(key(phrase)):
                return phrase
        return None

    def _lacking(self, item: Item, draw: float, used: set[str]) -> Words | None:
        """What others of the item's type have and the item has not."""
        others = self.fields.contrasts.get(key(item.slots[TYPE][0]), [])
        for step in range(min(_TRIES, len(others))):
            phrase = others[(int(draw * len(others)) + step) % len(others)]
            units = key(phrase)
            if item.keys.isdisjoint(units) and used.isdisjoint(units):
                return phrase
        return None
