"""Values of a column that stand in item titles, and how far such a mention can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tfrec.synth.filters.folding import folded, words

_LONGEST = 8  # words (or characters of a script without spaces) of a value that is looked for


class Mentions:
    """Learns from the items whose value is known what a value in the title is worth.

    A brand called "Home" stands in many titles of other brands; "Samsung" in few. The trust in a value is the share of
    the items that mention it and have it, with one imagined item of each kind (Laplace).

    Args:
        titles: of all items [N].
        values: of all items [N]; "" where unknown.
        least: items that must have a value for it to be looked for.
    """

    def __init__(self, titles: Sequence[str], values: Sequence[str], least: int) -> None:
        self._titles = [tuple(words(folded(title))) for title in titles]
        self._values = [tuple(words(folded(value))) for value in values]
        counts = Counter(value for value in self._values if 0 < len(value) <= _LONGEST)
        self._known = {value for value, count in counts.items() if count >= least}
        # most words stand at the beginning of no value: one look-up per word, then
        self._longest: dict[str, int] = {}
        for value in self._known:
            self._longest[value[0]] = max(len(value), self._longest.get(value[0], 0))
        self._mentioned: Counter[tuple[str, ...]] = Counter()
        self._right: Counter[tuple[str, ...]] = Counter()
        for item, value in enumerate(self._values):
            if value:
                for mention in self._found(item):
                    self._mentioned[mention] += 1
                    self._right[mention] += mention == value

    def of(self, item: int) -> dict[str, float]:
        """What an item's title mentions: folded value -> trust, 0..1, learned from the other items only."""
        own = self._values[item]
        trusts = {}
        for mention in self._found(item):
            mentioned = self._mentioned[mention] - bool(own)
            right = self._right[mention] - (own == mention)
            trusts[" ".join(mention)] = (right + 1) / (mentioned + 2)
        return trusts

    def _found(self, item: int) -> set[tuple[str, ...]]:
        """The known values in a title; not "blue" where "navy blue" stands."""
        title, found, covered = self._titles[item], set(), 0
        for start, word in enumerate(title):
            for end in range(min(len(title), start + self._longest.get(word, 0)), start, -1):
                if title[start:end] in self._known:
                    if end > covered:
                        found.add(title[start:end])
                        covered = end
                    break
        return found
