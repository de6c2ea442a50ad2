"""An inverted index over an items' words as arrays: postings with finished weights, and a table from words to terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.data.characters import without_accents
from tfrec.retrieval.parts import part_of_rows


@dataclass(frozen=True)
class LexicalIndex:
    """An inverted index whose weights are ready to be summed.

    Rows of postings are of T terms, and after them of K pairs: two words that follow each other.

    Attributes:
        size: N, number of items.
        starts: int64 [T + K + 1]; row r's postings are at starts[r] .. starts[r + 1].
        items: int32 [P], item index of every posting, rising within a row.
        weights: float32 [P], what the posting adds to the item's score.
        terms: surface form -> term, for every form seen and the likely ones beside them.
        pairs: int64 [K], rising; a pair of terms (a, b) is a * T + b, and its row is T + its place.
    """

    size: int
    starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    terms: dict[str, int]
    pairs: np.ndarray

    @property
    def term_count(self) -> int:
        """T."""
        return len(self.starts) - 1 - len(self.pairs)

    def part(self, first: int, end: int) -> LexicalIndex:
        """The index of some of the items, first <= item < end, with the weights that they have in the whole."""
        starts, inside = part_of_rows(self.starts, self.items, first, end)
        items, weights = self.items[inside] - np.int32(first), self.weights[inside]
        return LexicalIndex(end - first, starts, items, weights, self.terms, self.pairs)

    def rows(self, words: Iterable[str]) -> list[int]:
        """The rows that a query's words open, in reading order: known terms, then known pairs of neighbours.

        Args:
            words: surface forms, as the index' tokenizer splits them; one that nobody writes with its accents is taken
                without.
        """
        terms = [self.terms.get(word, self.terms.get(without_accents(word), -1)) for word in words]
        return [term for term in terms if term >= 0] + pair_rows(terms, self.pairs, self.term_count)

    def scores(self, rows: Iterable[int]) -> np.ndarray:
        """Score of every item for a query's rows (a repeated one counts again): float32 [N]."""
        total = np.zeros(self.size, np.float32)
        for row in rows:
            part = slice(self.starts[row], self.starts[row + 1])
            total[self.items[part]] += self.weights[part]
        return total


def pair_rows(terms: Sequence[int], pairs: np.ndarray, term_count: int) -> list[int]:
    """Rows of the pairs that a text's terms form with their neighbours; -1 is an unknown word, and parts a pair."""
    keys = [a * term_count + b for a, b in zip(terms, terms[1:], strict=False) if a >= 0 and b >= 0]
    if not keys or not len(pairs):
        return []
    places = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
    return [term_count + int(place) for place, key in zip(places, keys, strict=True) if pairs[place] == key]
