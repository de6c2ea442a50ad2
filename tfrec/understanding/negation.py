"""What a query does not want ("without sleeves", "ohne Zucker", "不要皮革"), and the items that hold it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tfrec.retrieval.graph_words import surfaces
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.postings import Postings
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import tf
from tfrec.understanding.attributes import LONGEST
from tfrec.understanding.function_words import ARTICLES, NEGATIONS
from tfrec.understanding.measures import first_of
from tfrec.understanding.normal_form import EXCLUDED, Words, readable, spaced, unspaced

Tensor = Any
_MOST = 3  # denied phrases of a query
_REACH = LONGEST + 2
_USUAL = 3  # items that write a denial themselves, from which on it is how this shop describes its items
_SPACED = sorted((word for word in NEGATIONS if word.isalpha() and ord(word[0]) < 0x2E80), key=len, reverse=True)
_UNSPACED = sorted(NEGATIONS - set(_SPACED), key=len, reverse=True)
_MENTION = (
    rf"(?i)\b(?:{'|'.join(_SPACED)})\s+(?:(?:{'|'.join(sorted(ARTICLES))})\s+)?[\pL\pN'’]+(?:[ -][\pL\pN]+)?"
    rf"|[\pL]+[ -](?:free|frei)\b|(?:{'|'.join(_UNSPACED)}|无)\p{{Han}}{{1,4}}"
)
_LEADING = re.compile(
    rf"^(?:(?:{'|'.join(_SPACED)})\s+(?:(?:{'|'.join(sorted(ARTICLES))})\s+)?|{'|'.join(_UNSPACED)}|无)", re.I
)
_TRAILING = re.compile(r"[ -](?:free|frei)$", re.I)


class Denied(NamedTuple):
    """What queries do not want.

    Attributes:
        words: which of the T words they are, bool [T].
        dropped: which of the T words no scorer shall read: these and what denies them; bool [T].
        phrases: string [B, 3], "" where there are no more.
    """

    words: Tensor
    dropped: Tensor
    phrases: Tensor


class Negation(tf.Module):  # type: ignore[misc]
    """Reads denied words and finds the items that hold them.

    What an item itself denies ("no sugar added", "sugar-free") it does not hold. Where several items write a denial as
    the query does ("no show socks"), its words stay in the query, for they describe what is wanted.

    Args:
        scorer: of words; says which items hold a word.
        index: what it was made of.
        texts: all texts of every item, N.
    """

    def __init__(self, scorer: LexicalScorer, index: LexicalIndex, texts: Sequence[str]) -> None:
        super().__init__(name="negation")
        self.scorer = scorer
        pairs = _mentions(index, texts)
        starts = np.searchsorted(pairs[:, 0], np.arange(index.term_count + 1)).astype(np.int64)
        self._denying = Postings(starts, pairs[:, 1].astype(np.int32), np.ones(len(pairs), np.float32), index.size)
        self._counts = tf.constant(np.append(np.diff(starts), 0).astype(np.int32))
        self._negations, self._articles = _set([*NEGATIONS, EXCLUDED]), _set(ARTICLES)

    def __call__(self, words: Words, spans: Tensor) -> Denied:
        """What the words deny.

        Args:
            words: T words of B queries.
            spans: attribute values that begin at each (see Attributes.spans): a denied value is denied as a whole.
        """
        flat = words.flat
        plain = ~tf.strings.regex_full_match(flat, ",|[<>~]|[0-9].*")
        negation = self._negations.lookup(flat) > 0
        word, article = plain & ~negation, self._articles.lookup(flat) > 0
        next_word = words.following(word, 1, False)
        terms = self.scorer.terms(flat)
        # how many words are denied where the denied words begin here
        together = self.scorer.together(terms, words.following(terms, 1, np.int64(-1)))
        alone = unspaced(flat)
        together |= alone & words.following(alone, 1, False)
        length = tf.where(together & next_word, 2, 1)
        lengths = tf.range(1, LONGEST + 1)
        length = tf.maximum(length, tf.reduce_max(tf.where(spans >= 0, lengths, 0), axis=1))
        # where they begin and end, counted from the word that denies
        denies = negation & next_word
        skips = words.following(article, 1, False) & words.following(word, 2, False)
        begins = tf.where(skips, 2, 1)
        ends = begins + tf.where(skips, words.following(length, 2, 1), words.following(length, 1, 1))
        first = tf.where(skips, words.following(terms, 2, np.int64(-1)), words.following(terms, 1, np.int64(-1)))
        counts = tf.gather(self._counts, tf.where(first < 0, tf.size(self._counts, tf.int64) - 1, first))
        usual = (counts >= _USUAL) & tf.not_equal(flat, EXCLUDED)  # the shop writes the denial itself
        # the words after it, seen from each of them
        steps = tf.range(_REACH, 0, -1)

        def before(values: Tensor, nothing: Any) -> Tensor:
            return words.window(values, -_REACH, _REACH, nothing)

        inside = before(denies, False) & (steps < before(ends, 0)) & plain[:, tf.newaxis]
        start = tf.reduce_any(inside & tf.equal(steps, before(begins, 0)), axis=1)
        denied = tf.reduce_any(inside & (steps >= before(begins, 0)), axis=1)
        dropped = tf.reduce_any(inside & ~before(usual, False), axis=1) | (denies & ~usual)
        return Denied(denied, dropped, self._phrases(words, denied, start))

    def holding(self, denied: Denied) -> Tensor:
        """The items that hold what a query denies, bool [B, N]."""
        batch, size = tf.shape(denied.phrases)[0], self.scorer.size
        given = tf.where(tf.not_equal(denied.phrases, ""))

        def some() -> Tensor:
            phrases, rows = tf.gather_nd(denied.phrases, given), given[:, 0]
            words, of = surfaces(phrases)
            terms = self.scorer.terms(words)
            known = terms >= 0
            count = tf.size(phrases, tf.int64)
            number = tf.math.unsorted_segment_sum(tf.ones_like(of, tf.float32), of, count)
            scores = self.scorer.of_words(words, of, count)
            share = scores / (tf.reduce_max(scores, axis=1, keepdims=True) + 1e-9)
            # of several words an item must hold most, and not the one alone that many hold
            holds = share > 1.0 - 0.8 / tf.maximum(number, 1.0)[:, tf.newaxis]
            denies = self._denying.total(tf.boolean_mask(terms, known), tf.boolean_mask(of, known), count) > 0
            found = tf.cast(holds & ~denies, tf.int32)
            return tf.math.unsorted_segment_max(found, rows, tf.cast(batch, tf.int64)) > 0

        return tf.cond(tf.size(given) > 0, some, lambda: tf.zeros([batch, size], tf.bool))

    @staticmethod
    def _phrases(words: Words, denied: Tensor, start: Tensor) -> Tensor:
        """The denied words of every query, those of one denial together: string [B, 3]."""
        number = tf.cumsum(tf.cast(start, tf.int64)) - 1
        at = tf.where(denied)[:, 0]
        owner = tf.gather(number, at)
        count = tf.reduce_sum(tf.cast(start, tf.int64))
        joined = tf.strings.unsorted_segment_join(tf.gather(words.flat, at), owner, count, separator=" ")
        return first_of(readable(joined), tf.boolean_mask(words.rows, start), words.texts, _MOST)


def glued(texts: Tensor) -> Tensor:
    """Normal texts string [B] in which negations of scripts without spaces are one word."""
    texts = tf.strings.join([" ", texts, " "])
    for word in _UNSPACED:
        texts = tf.strings.regex_replace(texts, f" {spaced(word)} ", f" {word} ")
    return tf.strings.strip(texts)


def _mentions(index: LexicalIndex, texts: Sequence[str]) -> np.ndarray:
    """(term, item) int64 [M, 2], rising: which items deny which terms."""
    found = pl.Series(list(texts), dtype=pl.String).str.extract_all(_MENTION)
    split = Tokenizer("none", measures=True)
    pairs: set[tuple[int, int]] = set()
    for item in np.flatnonzero((found.list.len() > 0).to_numpy()).tolist():
        for mention in found[item]:
            words = split(_TRAILING.sub("", _LEADING.sub("", mention)))
            pairs.update((term, item) for word in words if (term := index.terms.get(word, -1)) >= 0)
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _set(values: Iterable[str]) -> Any:
    keys = tf.constant(sorted(set(values)), tf.string)
    pairs = tf.lookup.KeyValueTensorInitializer(keys, tf.ones(tf.shape(keys), tf.int32))
    return tf.lookup.StaticHashTable(pairs, default_value=0)
