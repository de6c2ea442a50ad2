"""Lexical scorer: BM25F in stock ops, from the typed words to a score for every item."""

from __future__ import annotations

from typing import Any

from tfrec.models.accents import accents_folded
from tfrec.models.spelling.alternatives import split_alternatives
from tfrec.retrieval.graph_words import surfaces
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.postings import Postings
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any


class LexicalScorer(Scorer):
    """The postings of the typed words and of the pairs of words that they form; equal to `LexicalIndex.scores`.

    Words that neither the shop's texts nor the table's endings know add nothing. An empty query, or one of unknown
    words only, gives 0 for all items.

    Args:
        index: of the catalogue.
    """

    sparse = True

    def __init__(self, index: LexicalIndex) -> None:
        super().__init__(name="lexical")
        self.label = "lexical"
        self.size, self.index = index.size, index
        self._postings = Postings(index.starts, index.items, index.weights, index.size)
        words = tf.constant(list(index.terms) or [""], tf.string)
        terms = tf.constant(list(index.terms.values()) or [-1], tf.int64)
        self._terms = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(words, terms), default_value=-1)
        self._term_count, self._pairs = index.term_count, None
        if len(index.pairs):
            rows = tf.range(len(index.pairs), dtype=tf.int64) + index.term_count
            pairs = tf.constant(index.pairs, tf.int64)
            self._pairs = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(pairs, rows), default_value=-1)

    def part(self, first: int, end: int) -> LexicalScorer:
        """See Scorer."""
        return LexicalScorer(self.index.part(first, end))

    def __call__(self, request: Request) -> Tensor:
        """Scores float32 [B, N] of request.query; 0 where an item shares no word with it.

        Of a doubtful word every alternative counts, by its weight; the weights of one word sum to 1.
        """
        rows, requests, amounts = self.opened(request.query)
        return self._postings.total(rows, requests, tf.shape(request.query, tf.int64)[0], amounts)

    def opened(self, query: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(rows of the index that queries string [B] open int64 [R], the query of each int64 [R], its factor float32
        [R])."""
        parts, requests, weights = split_alternatives(query)
        rows, of = self._rows(*surfaces(parts))
        return rows, tf.gather(requests, of), tf.gather(weights, of)

    def of_words(self, words: Tensor, texts: Tensor, batch: Tensor) -> Tensor:
        """Scores float32 [B, N] of texts whose words string [S] and numbers int64 [S], rising, these are."""
        return self._postings.total(*self._rows(words, texts), batch)

    def terms(self, words: Tensor) -> Tensor:
        """The index' terms of words string [S], int64 [S]; -1 for unknown ones."""
        return self._lookup(words)

    def together(self, left: Tensor, right: Tensor) -> Tensor:
        """Whether items write one term behind another, often enough for the index to know: int64 [S] -> bool [S]."""
        if self._pairs is None:
            return tf.zeros_like(left, tf.bool)
        known = (left >= 0) & (right >= 0)
        return self._pairs.lookup(tf.where(known, left * self._term_count + right, -tf.ones_like(left))) >= 0

    def _rows(self, words: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        """(rows of the index that words of texts open int64 [R], the text of each int64 [R])."""
        terms = self._lookup(words)
        known = terms >= 0
        rows, of = tf.boolean_mask(terms, known), tf.boolean_mask(texts, known)
        if self._pairs is None:
            return rows, of
        together = known[:-1] & known[1:] & tf.equal(texts[:-1], texts[1:])
        keys = terms[:-1] * self._term_count + terms[1:]
        pairs = self._pairs.lookup(tf.where(together, keys, -tf.ones_like(keys)))
        found = pairs >= 0
        rows = tf.concat([rows, tf.boolean_mask(pairs, found)], axis=0)
        return rows, tf.concat([of, tf.boolean_mask(texts[:-1], found)], axis=0)

    def _lookup(self, words: Tensor) -> Tensor:
        """Terms of words string [S], of those without their accents where nobody writes them so; else -1: int64 [S]."""
        terms = self._terms.lookup(words)
        other = tf.where((terms < 0) & ~tf.strings.regex_full_match(words, r"[\x00-\x7f]*"))
        folded = self._terms.lookup(accents_folded(tf.gather_nd(words, other)))
        return tf.tensor_scatter_nd_update(terms, other, folded)
