"""BM25 over an items' words as arrays: postings with finished weights, and a table from words to terms."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix

import numpy as np

Tokenize = Callable[[str], list[str]]
_LEARNED_ENDINGS = 16
_USUAL_ENDINGS = [("", ending) for ending in ("s", "es", "'s", "e", "en", "er", "n", "ed", "ing")]
_SHORTEST_STEM = 3
_INFLECTED = 50_000  # the most frequent stems get them; a huge catalogue's rare ones are mostly numbers and names


@dataclass(frozen=True)
class LexicalIndex:
    """An inverted index whose weights are ready to be summed.

    Attributes:
        size: N, number of items.
        starts: int64 [T + 1]; term t's postings are at starts[t] .. starts[t + 1].
        items: int32 [P], item index of every posting, rising within a term.
        weights: float32 [P], what the posting adds to the item's score.
        terms: surface form -> term, for every form seen and the likely ones beside them.
    """

    size: int
    starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    terms: dict[str, int]

    def scores(self, terms: Iterable[int]) -> np.ndarray:
        """BM25 of every item for a query's terms (a repeated one counts again): float32 [N]."""
        total = np.zeros(self.size, np.float32)
        for term in terms:
            part = slice(self.starts[term], self.starts[term + 1])
            total[self.items[part]] += self.weights[part]
        return total


def fit_lexical_index(
    fields: Mapping[str, Sequence[str]],
    weights: Mapping[str, float],
    tokenize: Tokenize,
    surfaces: Tokenize,
    queries: Iterable[str] = (),
    k1: float = 1.5,
    b: float = 0.75,
) -> LexicalIndex:
    """Indexes the catalogue by BM25F, which is BM25 in Lucene's form when there is one field of weight 1.

    A term's frequency in an item is the sum over the fields of `weight * tf / (1 - b + b * length / mean length)`; the
    posting adds `ln(1 + (N - df + 0.5) / (df + 0.5)) * frequency / (frequency + k1)`.

    A graph has no stemmer, so the index carries a table from words as they are written to terms. It holds every word of
    the catalogue and of the given queries; and, so that a form that nobody has used yet is found as well, every stem
    with usual endings and with those that are frequent in this shop; they are kept where the stemmer agrees.

    Source: Robertson, Zaragoza & Taylor 2004 (BM25F); Kamphuis et al. 2020 for the variants of BM25.

    Args:
        fields: name -> one text per item, all of one length N of at least 1; empty texts are allowed.
        weights: name -> weight above 0, for every field.
        tokenize: text -> terms (`tfrec.retrieval.tokens.Tokenizer(language)`).
        surfaces: text -> the same words unstemmed, in the same number and order (`Tokenizer("none")`).
        queries: texts whose words the table shall know, for example the training queries.
        k1: how slowly repeated words saturate, at least 0.
        b: how much long texts are held back, 0..1.

    Returns:
        the index; without any posting when no text holds a word.

    Raises:
        ValueError: there is no item, or fields differ in length.
    """
    lengths = {len(texts) for texts in fields.values()}
    if len(lengths) != 1 or not max(lengths):
        raise ValueError(f"every field needs one text per item, but they have {sorted(lengths)} texts")
    size = lengths.pop()
    words = _Words(tokenize, surfaces)
    keys, frequencies = [], []
    for name, texts in fields.items():
        length, flat = words.terms(texts)
        if length.any():
            found, counts = np.unique(flat * size + np.repeat(np.arange(size), length), return_counts=True)
            norm = 1 - b + b * length / length.mean()
            keys.append(found)
            frequencies.append(weights[name] * counts / np.maximum(norm[found % size], 1e-9))
    every = np.concatenate([np.zeros(0, np.int64), *keys])
    places, inverse = np.unique(every, return_inverse=True)  # term-major, items rising
    total = np.bincount(inverse, np.concatenate([np.zeros(0), *frequencies]), minlength=len(places))
    found_terms, items = places // size, places % size
    number = words.count
    df = np.bincount(found_terms, minlength=number)
    idf = np.log1p((size - df + 0.5) / (df + 0.5))
    starts = np.concatenate([[0], np.cumsum(df)]).astype(np.int64)
    posting = (idf[found_terms] * total / (total + k1)).astype(np.float32)
    return LexicalIndex(size, starts, items.astype(np.int32), posting, words.table(queries, df))


class _Words:
    """Numbers terms as they come, and remembers which written words lead to them."""

    def __init__(self, tokenize: Tokenize, surfaces: Tokenize) -> None:
        self._tokenize, self._surfaces = tokenize, surfaces
        self._numbers: dict[str, int] = {}
        self._seen: dict[str, str] = {}

    @property
    def count(self) -> int:
        return len(self._numbers)

    def terms(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(terms per text int64 [N], all their numbers int64); a new term gets the next number."""
        numbers, flat, lengths = self._numbers, array("q"), array("q")
        for text in texts:
            before = len(flat)
            flat.extend(numbers.setdefault(self._term(word), len(numbers)) for word in self._surfaces(text))
            lengths.append(len(flat) - before)
        return np.array(lengths, np.int64), np.array(flat, np.int64)

    def _term(self, surface: str) -> str:
        term = self._seen.get(surface)
        if term is None:  # a word alone is one term, the same as within its text
            term = self._seen[surface] = self._tokenize(surface)[0]
        return term

    def table(self, queries: Iterable[str], df: np.ndarray) -> dict[str, int]:
        """Written word -> term, for the terms that the catalogue holds."""
        for query in queries:
            for surface in self._surfaces(query):
                self._term(surface)
        table = {surface: self._numbers[term] for surface, term in self._seen.items() if term in self._numbers}
        for surface in self._likely(df):
            if surface not in table:
                terms = self._tokenize(surface)
                if len(terms) == 1 and terms[0] in self._numbers and self._surfaces(surface) == [surface]:
                    table[surface] = self._numbers[terms[0]]
        return table

    def _likely(self, df: np.ndarray) -> Iterable[str]:
        """Stems, and stems with frequent endings; a rule is (ending of the stem, what the word has in its place)."""
        rules: Counter[tuple[str, str]] = Counter()
        for surface, term in self._seen.items():
            if surface != term and len(term) >= _SHORTEST_STEM:
                same = len(commonprefix([surface, term]))
                rules[term[same:], surface[same:]] += 1
        yield from self._numbers
        every = list(self._numbers)
        common = [every[term] for term in np.argsort(-df, kind="stable")[:_INFLECTED]]
        stems = [stem for stem in common if len(stem) >= _SHORTEST_STEM and stem.isalpha()]
        learned = [rule for rule, count in rules.most_common(_LEARNED_ENDINGS) if count > 1]
        for old, new in dict.fromkeys([*learned, *_USUAL_ENDINGS]):
            for stem in stems:
                if stem.endswith(old):
                    yield stem[: len(stem) - len(old)] + new
