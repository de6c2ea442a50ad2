"""The words of a shop's texts: which there are, how many items have them, and which stand beside which."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tfrec.models.spelling.fingerprints import LONGEST

SCRIPTS = r"\p{Latin}\p{Greek}\p{Cyrillic}"  # scripts whose words are made of many letters
_JOINERS = "['’‐‑-]"
_MOST_WORDS, _MOST_PAIRS = 1_000_000, 2_000_000
_CHUNK = 100_000
# Which words stand together is learned from a part of a large catalogue, so that the time is bounded.
_SAMPLE, _WORDS_READ, _PAIRS_READ = 200_000, 32, 30_000_000
_MERGED = 8_000_000


@dataclass(frozen=True)
class ShopWords:
    """Words of a shop and their company; words of one stem keep one company.

    Attributes:
        words: in lower case, up to 24 letters, those of most items first; W of them.
        items: int64 [W], how many items have each.
        stems: int32 [W], number of each word's stem.
        joined: words whose parts the texts write with a hyphen or apostrophe between: "ereader".
        size: N, number of items.
        sampled: items that the company was counted in.
        sampled_stems: int64 [S], in how many of those each stem is.
        pairs: int64 [P], `lower * S + higher` of two different stems that share an item, rising.
        shared: int32 [P], how many of those items they share.
    """

    words: list[str]
    items: np.ndarray
    stems: np.ndarray
    joined: list[str]
    size: int
    sampled: int
    sampled_stems: np.ndarray
    pairs: np.ndarray
    shared: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], stem: Callable[[str], str]) -> ShopWords:
        """Counts the words of a catalogue.

        The tables are bounded, and so is the time beyond one reading of the texts: the million words that most items
        have, and the two million pairs that most often share an item, in a sample of at most 200,000 items and the
        first 32 words of each.

        Args:
            texts: one text per item.
            stem: word in lower case -> its stem.
        """
        counted = _counted(_chunks(texts))
        words = counted["word"].to_list()
        together = (
            chunk.filter(chunk.str.contains(_JOINERS)).str.replace_all(_JOINERS, "") for chunk in _chunks(texts)
        )
        known = set(words)
        joined = [word for word in _counted(together)["word"] if word not in known]
        numbers: dict[str, int] = {}
        stems = np.array([numbers.setdefault(stem(word) or word, len(numbers)) for word in words], np.int32)
        items, found = _occurrences(texts[:: max(1, math.ceil(len(texts) / _SAMPLE))], words, stems)
        length = np.bincount(items) if len(items) else np.zeros(0, np.int64)
        step = max(1, math.ceil((length * (length - 1) // 2).sum() / _PAIRS_READ))
        kept = items % step == 0
        items, found = items[kept], found[kept]
        pairs, shared = _company(items, found.astype(np.int64), len(numbers))
        alone = np.bincount(found, minlength=len(numbers))
        sampled = len(np.unique(items))
        return cls(words, counted["items"].to_numpy(), stems, joined, len(texts), sampled, alone, pairs, shared)


def letters_of(texts: Iterable[str]) -> set[str]:
    """The words of texts, in lower case, without those of more than 24 letters."""
    return set(_words_of(pl.Series(list(texts), dtype=pl.String))[2])


def _chunks(texts: Sequence[str]) -> Iterator[pl.Series]:
    for start in range(0, len(texts), _CHUNK):
        yield pl.Series(list(texts[start : start + _CHUNK]), dtype=pl.String)


def _words_of(texts: pl.Series) -> tuple[np.ndarray, np.ndarray, pl.Series]:
    """(item int64 [O], number of the word int64 [O], words): each word once per item, in the order of the texts."""
    found = texts.str.to_lowercase().str.extract_all(rf"[{SCRIPTS}]+")
    items = np.repeat(np.arange(len(found)), found.list.len().to_numpy())
    words = found.explode(empty_as_null=False)
    codes = words.cast(pl.Categorical).to_physical().to_numpy()  # some numbers of the words, not 0, 1, 2 ...
    kept = (words.str.len_chars() <= LONGEST).to_numpy()
    words, items = words.filter(pl.Series(kept)), items[kept]
    _, first, numbers = np.unique(codes[kept], return_index=True, return_inverse=True)
    names = words.gather(first)
    once = np.sort(np.unique(items * len(names) + numbers, return_index=True)[1])
    return items[once], numbers[once], names


def _counted(chunks: Iterator[pl.Series]) -> pl.DataFrame:
    """Words and how many items have them, most first, then by the alphabet."""
    total = pl.DataFrame(schema={"word": pl.String, "items": pl.Int64})
    for chunk in chunks:
        _, numbers, names = _words_of(chunk)
        found = pl.DataFrame({"word": names, "items": np.bincount(numbers, minlength=len(names))})
        total = pl.concat([total, found]).group_by("word").agg(pl.col("items").sum())
    total = total.filter(pl.col("items") > 0)
    return total.sort(["items", "word"], descending=[True, False]).head(_MOST_WORDS)


def _occurrences(texts: Sequence[str], words: list[str], stems: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(item int64 [O], stem int32 [O]): the first words' stems of every item, each once, items rising."""
    table = dict(zip(words, stems.tolist(), strict=True))
    every, every_stem = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    for start, chunk in zip(range(0, len(texts), _CHUNK), _chunks(texts), strict=True):
        items, numbers, names = _words_of(chunk)
        found = np.array([table.get(name, -1) for name in names], np.int64)[numbers]
        items, found = items[found >= 0], found[found >= 0]
        once = np.sort(np.unique(items * len(table) + found, return_index=True)[1])
        items, found = items[once], found[once]
        place = np.arange(len(items)) - np.searchsorted(items, items)
        every.append(items[place < _WORDS_READ] + start)
        every_stem.append(found[place < _WORDS_READ].astype(np.int32))
    return np.concatenate(every), np.concatenate(every_stem)


def _company(items: np.ndarray, stems: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of stems that share an item, and how many items they share; see ShopWords."""
    pairs, shared = np.zeros(0, np.int64), np.zeros(0, np.int64)
    waiting: list[np.ndarray] = []
    for distance in range(1, _WORDS_READ):
        same = items[distance:] == items[:-distance]
        first, second = stems[distance:][same], stems[:-distance][same]
        waiting.append(np.minimum(first, second) * size + np.maximum(first, second))
        if distance == _WORDS_READ - 1 or sum(map(len, waiting)) > _MERGED:
            new, counts = np.unique(np.concatenate(waiting), return_counts=True)
            places, inverse = np.unique(np.concatenate([pairs, new]), return_inverse=True)
            shared = np.bincount(inverse, np.concatenate([shared, counts]), minlength=len(places)).astype(np.int64)
            pairs, waiting = places, []
    strongest = np.sort(np.argsort(-shared, kind="stable")[:_MOST_PAIRS])
    return pairs[strongest], shared[strongest].astype(np.int32)
