"""Texts as sets of keys (words, pairs of characters), and how much such sets have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_CODE_BITS = 21  # of a Unicode code point
_BLOCK = 50_000  # pairs compared at once
_ROWS = 2_000  # sets looked up at once
_SHARED = 4  # rare keys that two sets must share to be compared: more of them, fewer pairs, but longer prefixes


@dataclass(frozen=True)
class Sets:
    """R sets of keys.

    Attributes:
        keys: int64 [K], the sets one after the other, each sorted and without repeats.
        starts: int64 [R + 1], where each set begins.
    """

    keys: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """int64 [R]."""
        return np.diff(self.starts)

    @property
    def rows(self) -> np.ndarray:
        """int64 [K], the set of each key."""
        return np.repeat(np.arange(len(self.starts) - 1), self.sizes)


def character_pairs(texts: Sequence[str]) -> Sets:
    """Pairs of neighbouring characters, a space standing before and after every text.

    A text of several words is so described by the pairs of each word with its bounds; their order says nothing.

    Args:
        texts: R folded texts.

    Returns:
        R sets; an empty text has an empty set.
    """
    joined = "".join([f" {text} " if text else "" for text in texts])
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32).astype(np.int64)
    lengths = np.fromiter((len(text) + 2 if text else 0 for text in texts), np.int64, len(texts))
    owners = np.repeat(np.arange(len(texts)), lengths)
    inside = owners[:-1] == owners[1:]
    pairs = (codes[:-1] << _CODE_BITS | codes[1:])[inside]
    return _sets(owners[:-1][inside], pairs, len(texts))


def word_sets(texts: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> Sets:
    """Words as keys.

    Args:
        texts: words of R texts.
        vocabulary: word -> key; new words are added, so that several calls can share it.

    Returns:
        R sets.
    """
    keys = np.fromiter(
        (vocabulary.setdefault(word, len(vocabulary)) for text in texts for word in text),
        np.int64,
    )
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    return _sets(np.repeat(np.arange(len(texts)), lengths), keys, len(texts))


def _sets(rows: np.ndarray, keys: np.ndarray, count: int) -> Sets:
    order = np.lexsort((keys, rows))
    rows, keys = rows[order], keys[order]
    first = np.ones(len(keys), bool)
    first[1:] = (rows[1:] != rows[:-1]) | (keys[1:] != keys[:-1])
    sizes = np.bincount(rows[first], minlength=count)
    return Sets(keys[first], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def jaccard_of_pairs(first: Sets, second: Sets, pairs: np.ndarray) -> np.ndarray:
    """Size of the intersection over size of the union.

    Args:
        first: R sets.
        second: S sets.
        pairs: int64 [P, 2], a row of each.

    Returns:
        float32 [P]; 0 for two empty sets.
    """
    columns, matrices = _matrices([first, second])
    if not len(pairs) or not columns:
        return np.zeros(len(pairs), np.float32)
    common = np.zeros(len(pairs), np.int64)
    for begin in range(0, len(pairs), _BLOCK):
        part = pairs[begin : begin + _BLOCK]
        both = matrices[0][part[:, 0]].multiply(matrices[1][part[:, 1]])
        common[begin : begin + _BLOCK] = np.asarray(both.sum(axis=1)).ravel()
    union = first.sizes[pairs[:, 0]] + second.sizes[pairs[:, 1]] - common
    return (common / np.maximum(union, 1)).astype(np.float32)


def similar_pairs(first: Sets, second: Sets, least: float) -> tuple[np.ndarray, np.ndarray]:
    """All pairs with at least a Jaccard similarity; none is missed.

    Sets with similarity t share at least c keys, c = ceil(t |x|) of the larger. So among the |x| - ceil(t |x|) + L
    rarest keys of each they share L, or c where that is less (prefix filter, Chaudhuri et al. 2006; longer prefixes,
    Wang et al. 2012); only pairs that do are compared.

    Args:
        first: R sets.
        second: S sets.
        least: above 0.

    Returns:
        (pairs int64 [P, 2], similarity float32 [P]), in order of the first, then the second.
    """
    frequencies = dict(zip(*np.unique(second.keys, return_counts=True), strict=True))
    known = np.fromiter(frequencies, np.int64, len(frequencies))
    counts = np.fromiter(frequencies.values(), np.int64, len(frequencies))
    prefixes = [_rarest(sets, known, counts, least) for sets in (first, second)]
    shared, matrices = _matrices(prefixes)
    if not shared:
        return np.zeros([0, 2], np.int64), np.zeros(0, np.float32)
    fewest = [_fewest(sets, least) for sets in (first, second)]
    met = []
    for begin in range(0, matrices[0].shape[0], _ROWS):
        part = (matrices[0][begin : begin + _ROWS] @ matrices[1].T).tocoo()
        rows, columns = part.row.astype(np.int64) + begin, part.col.astype(np.int64)
        enough = part.data >= np.minimum(np.maximum(fewest[0][rows], fewest[1][columns]), _SHARED)
        met.append(np.stack([rows[enough], columns[enough]], axis=1))
    pairs = np.concatenate(met)
    similarity = jaccard_of_pairs(first, second, pairs)
    near = similarity >= least - 1e-6
    pairs, similarity = pairs[near], similarity[near]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], similarity[order]


def _rarest(sets: Sets, known: np.ndarray, counts: np.ndarray, least: float) -> Sets:
    frequency = np.zeros(len(sets.keys), np.int64)
    if len(known):
        place = np.minimum(np.searchsorted(known, sets.keys), len(known) - 1)
        frequency = np.where(known[place] == sets.keys, counts[place], 0)
    rows = sets.rows
    order = np.lexsort((sets.keys, frequency, rows))
    within = np.arange(len(rows)) - sets.starts[rows]
    wanted = sets.sizes - _fewest(sets, least) + _SHARED
    chosen = within < wanted[rows]
    return _sets(rows[chosen], sets.keys[order][chosen], len(sets.starts) - 1)


def _fewest(sets: Sets, least: float) -> np.ndarray:
    """How many keys a set shares at least with one that is as similar as wanted: int64 [R]."""
    return np.ceil(least * sets.sizes - 1e-9).astype(np.int64)


def _matrices(groups: Sequence[Sets]) -> tuple[int, list[Any]]:
    """The sets as rows of sparse 0/1 matrices; keys that are not in all groups can be left out."""
    from scipy import sparse

    shared = groups[0].keys
    for sets in groups[1:]:
        shared = np.intersect1d(shared, sets.keys)
    if not len(shared):
        return 0, []
    matrices = []
    for sets in groups:
        place = np.minimum(np.searchsorted(shared, sets.keys), len(shared) - 1)
        here = shared[place] == sets.keys
        shape = (len(sets.starts) - 1, len(shared))
        values = (np.ones(int(here.sum()), np.int32), (sets.rows[here], place[here]))
        matrices.append(sparse.csr_matrix(values, shape=shape))
    return len(shared), matrices
