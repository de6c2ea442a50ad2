"""Spelling of typed words, mended in the graph towards the words of the shop before the encoder reads them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tfrec.tensorflow_setup import tf

_SHORTEST, _LONGEST = 4, 24  # letters of a word that is mended, and of one that it is mended to
_SCRIPTS = r"\p{Latin}\p{Greek}\p{Cyrillic}"  # scripts whose words are made of many letters
_WORD = rf"[{_SCRIPTS}]{{{_SHORTEST},{_LONGEST}}}"
_LETTERS = re.compile(r"[^\W\d_]+")
_JOINERS = str.maketrans("", "", "'’-‐‑")
_MOST_TARGETS, _MOST_KNOWN = 50_000, 500_000
_LEAST_COUNT = 2  # a word that one item alone has may be an error itself
_UNKNOWN = (1 << 62) - 1
_ONE_PIECE = 3  # tokens of a word that is one piece: it stands between a start and an end mark


class Speller(tf.Module):  # type: ignore[misc]
    """Replaces typed words that nobody knows by the shop's most frequent word at one typing error's distance.

    A word piece encoder takes a misspelt word to pieces that mean something else, and no amount of fine-tuning on a few
    thousand queries mends that. A word is left alone when an item or a training query has it, when the encoder knows it
    as one piece, when it holds anything but letters of a script that spells words out, or when no word of the shop is
    one insertion, omission, substitution or transposition away (Damerau 1964). Look-ups of stored patterns find those
    words without comparing with all of them, as in SymSpell (Garbe 2012).

    Args:
        counts: words in lower case -> how often the shop's texts have them.
        is_known: string [M] -> bool [M], whether the encoder knows a word; runs inside the graph.
    """

    def __init__(self, counts: Counter[str], is_known: Callable[[Any], Any]) -> None:
        super().__init__(name="speller")
        ordered = sorted(counts, key=lambda word: (-counts[word], word))[:_MOST_KNOWN]
        targets = [w for w in ordered if counts[w] >= _LEAST_COUNT and _SHORTEST <= len(w) <= _LONGEST]
        targets = targets[:_MOST_TARGETS]
        patterns: dict[str, int] = {word: number for number, word in enumerate(targets)}
        for number, word in enumerate(targets):  # the most frequent come first, and the first keeps a pattern
            for place in range(len(word)):
                patterns.setdefault(f"-{word[:place]}{word[place + 1 :]}", number)
                patterns.setdefault(f"{word[:place]}*{word[place + 1 :]}", number)
        for word in ordered:
            patterns.setdefault(word, _UNKNOWN - 1)  # known, and nothing to mend to
        keys, numbers = list(patterns) or [""], list(patterns.values()) or [_UNKNOWN]
        self._numbers = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(numbers, tf.int64)), _UNKNOWN
        )
        self._targets = tf.constant([*targets, ""])
        self._last = len(targets)
        self._is_known = is_known

    @classmethod
    def of(cls, texts: Iterable[str], queries: Iterable[str], tokenize: Callable[[Any, int], Any]) -> Speller:
        """A speller for a shop.

        Args:
            texts: the items' texts.
            queries: training queries; their words are trusted as they are.
            tokenize: the encoder's, string [M], most tokens -> ragged int32 [M, None].
        """
        counts = count_words(texts)
        for word in count_words(queries):
            counts[word] += _LEAST_COUNT
        return cls(counts, lambda words: tf.equal(tokenize(words, _ONE_PIECE + 1).row_lengths(), _ONE_PIECE))

    def __call__(self, texts: Any) -> Any:
        """Mended texts: string [B] -> string [B]; a text without a mended word comes back byte by byte."""
        words = tf.strings.split(texts)
        flat = words.flat_values
        lowered = tf.strings.lower(flat, "utf-8")
        unknown = tf.equal(self._numbers.lookup(lowered), _UNKNOWN) & tf.strings.regex_full_match(lowered, _WORD)
        places = tf.where(unknown)[:, 0]
        suspects = tf.gather(lowered, places)
        numbers = tf.where(self._is_known(suspects), tf.constant(_UNKNOWN, tf.int64), self._nearest(suspects))
        mended = numbers < self._last
        places, numbers = places[mended], numbers[mended]
        flat = tf.tensor_scatter_nd_update(flat, places[:, None], tf.gather(self._targets, numbers))
        joined = tf.strings.reduce_join(words.with_flat_values(flat), axis=-1, separator=" ")
        rows = tf.gather(words.value_rowids(), places)
        changed = tf.math.unsorted_segment_max(tf.ones_like(rows), rows, tf.size(texts, tf.int64)) > 0
        return tf.where(changed, joined, texts)

    def _nearest(self, words: Any) -> Any:
        """Numbers of the most frequent targets one error away, int64 [M]; _UNKNOWN or _UNKNOWN - 1 where none is."""
        lengths = tf.strings.length(words, "UTF8_CHAR")[:, None]
        place = tf.range(tf.reduce_max(tf.concat([lengths[:, 0], [0]], 0)))[None, :]  # [1, P]
        place = tf.minimum(place, lengths - 1)
        wide = tf.broadcast_to(words[:, None], tf.shape(place))

        def part(start: Any, length: Any) -> Any:
            return tf.strings.substr(wide, tf.minimum(start, lengths), length, "UTF8_CHAR")

        zero, one, rest = tf.zeros_like(place), tf.ones_like(place), tf.fill(tf.shape(place), _LONGEST)
        before, after = part(zero, place), part(place + 1, rest)
        swapped = before + part(place + 1, one) + part(place, one) + part(place + 2, rest)
        one_error = tf.concat([before + after, before + "*" + after, swapped, "-" + words[:, None]], axis=1)
        return tf.reduce_min(self._numbers.lookup(one_error), axis=1)


def count_words(texts: Iterable[str]) -> Counter[str]:
    """How often each word stands in texts, in lower case; "e-reader" also counts as "ereader"."""
    counts: Counter[str] = Counter()
    for text in texts:
        lowered = text.lower()
        counts.update(_LETTERS.findall(lowered))
        joined = lowered.translate(_JOINERS)
        if joined != lowered:
            counts.update(word for word in set(_LETTERS.findall(joined)) if word not in counts)
    return counts


def mend(speller: Speller | None, queries: Sequence[str]) -> list[str]:
    """Mended queries, or the same ones without a speller."""
    if speller is None or not len(queries):
        return list(queries)
    return [query.decode() for query in speller(tf.constant(list(queries))).numpy()]
