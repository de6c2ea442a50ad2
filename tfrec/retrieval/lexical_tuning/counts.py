"""How often every item's fields hold every term: what all settings of BM25F are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.retrieval.lexical_index import pair_rows
from tfrec.retrieval.lexical_tuning.vocabulary import Tokenize, Vocabulary

_SHORT = 25  # words of a filled field, the mean; pairs of longer ones would be most of the index and say little
_MOST = np.iinfo(np.uint8).max


@dataclass(frozen=True)
class FieldCounts:
    """Frequencies of T terms and, after them, of K pairs of neighbouring words of short fields.

    Attributes:
        names: of the F fields.
        size: N, number of items.
        vocabulary: of the terms.
        pairs: int64 [K], rising, of `LexicalIndex`.
        starts: int64 [T + K + 1].
        items: int32 [P], rising within a row.
        frequencies: uint8 [F, P], at most 255.
        lengths: float32 [F, N], words of the field over the mean of the items that fill it.
        mean_lengths: float64 [F], that mean, 0 for a field that no item fills.
        idf: float64 [T + K], `ln(1 + (N - df + 0.5) / (df + 0.5))` over items that hold the row in any field.
    """

    names: tuple[str, ...]
    size: int
    vocabulary: Vocabulary
    pairs: np.ndarray
    starts: np.ndarray
    items: np.ndarray
    frequencies: np.ndarray
    lengths: np.ndarray
    mean_lengths: np.ndarray
    idf: np.ndarray

    @classmethod
    def of(
        cls, fields: Mapping[str, Sequence[str]], tokenize: Tokenize, surfaces: Tokenize, with_pairs: bool
    ) -> FieldCounts:
        """Counts a catalogue.

        Args:
            fields: name -> one text per item, all of one length N of at least 1; empty texts are allowed.
            tokenize: text -> terms (`tfrec.retrieval.tokens.Tokenizer`).
            surfaces: text -> the same words unstemmed, in the same number and order.
            with_pairs: whether neighbours in short fields are counted; those that a single item has are left out.

        Raises:
            ValueError: there is no item, or fields differ in length.
        """
        lengths = {len(texts) for texts in fields.values()}
        if len(lengths) != 1 or not max(lengths):
            raise ValueError(f"every field needs one text per item, but they have {sorted(lengths)} texts")
        size = lengths.pop()
        vocabulary = Vocabulary(tokenize, surfaces)
        counted = [vocabulary.add(texts) for texts in fields.values()]
        means = np.array([words.sum() / max(1, (words > 0).sum()) for words, _ in counted])
        where = [np.repeat(np.arange(size), words) for words, _ in counted]
        found = [flat * size + items for (_, flat), items in zip(counted, where, strict=True)]
        pairs = np.zeros(0, np.int64)
        if with_pairs:
            spaced, count = vocabulary.spaced(), len(vocabulary)
            neighbours = [
                _neighbours(flat, items, spaced, count) if mean <= _SHORT else _NOTHING
                for (_, flat), items, mean in zip(counted, where, means, strict=True)
            ]
            pairs = _shared([keys for keys, _ in neighbours], [items for _, items in neighbours], size)
            found = [
                np.concatenate([keys, _placed(pair, items, pairs, count, size)])
                for keys, (pair, items) in zip(found, neighbours, strict=True)
            ]
        distinct = [np.unique(keys, return_counts=True) for keys in found]
        places = np.unique(np.concatenate([keys for keys, _ in distinct]))  # row-major, items rising
        frequencies = np.zeros((len(fields), len(places)), np.uint8)
        for field, (keys, counts) in enumerate(distinct):
            frequencies[field, np.searchsorted(places, keys)] = np.minimum(counts, _MOST)
        df = np.bincount(places // size, minlength=len(vocabulary) + len(pairs))
        relative = np.stack([words / max(mean, 1e-9) for (words, _), mean in zip(counted, means, strict=True)])
        return cls(
            tuple(fields), size, vocabulary, pairs, np.concatenate([[0], np.cumsum(df)]).astype(np.int64),
            (places % size).astype(np.int32), frequencies, relative.astype(np.float32), means,
            np.log1p((size - df + 0.5) / (df + 0.5)),
        )  # fmt: skip

    @property
    def df(self) -> np.ndarray:
        """Items that hold each row, int64 [T + K]."""
        return np.diff(self.starts)

    def rows(self, query: str) -> list[int]:
        """The rows that a query opens; see `LexicalIndex.rows`."""
        terms = self.vocabulary.known(query)
        count = len(self.vocabulary)
        return [term for term in terms if term >= 0] + pair_rows(terms, self.pairs, count)


_NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def _neighbours(flat: np.ndarray, items: np.ndarray, spaced: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(keys a * T + b of words that follow each other, their items), both int64 [M]."""
    words = spaced[flat] if len(flat) else np.zeros(0, bool)
    flat, items = flat[words], items[words]
    together = items[1:] == items[:-1]
    return (flat[:-1] * count + flat[1:])[together], items[1:][together]


def _shared(keys: list[np.ndarray], items: list[np.ndarray], size: int) -> np.ndarray:
    """The pairs that at least two items have, int64 [K], rising."""
    distinct, numbers = np.unique(np.concatenate(keys), return_inverse=True)
    of_items = np.unique(numbers * size + np.concatenate(items))
    return distinct[np.bincount(of_items // size, minlength=len(distinct)) > 1]


def _placed(keys: np.ndarray, items: np.ndarray, pairs: np.ndarray, count: int, size: int) -> np.ndarray:
    """Row and item of the pairs that are kept, as row * N + item."""
    if not len(pairs):
        return np.zeros(0, np.int64)
    places = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
    kept = pairs[places] == keys
    return (count + places[kept]) * size + items[kept]
