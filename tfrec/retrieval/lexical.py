"""Lexical scorer: BM25 in stock ops, from the typed words to a score for every item."""

from __future__ import annotations

from typing import Any

from tfrec.data.characters import spelled_out, without_accents
from tfrec.models.accents import accents_folded
from tfrec.models.spelling.alternatives import split_alternatives
from tfrec.retrieval.graph_words import surfaces
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.postings import Postings
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

Tensor = Any


class LexicalScorer(Scorer):
    """BM25(F) of the typed words; equal to `tfrec.evaluation.baselines.Bm25` on the same text and tokenizer.

    Words that neither the shop's texts nor the table's endings know add nothing. An empty query, or one of unknown
    words only, gives 0 for all items.

    Args:
        index: from `fit_lexical_index`.
    """

    def __init__(self, index: LexicalIndex) -> None:
        super().__init__(name="lexical")
        self.label = "lexical"
        self.size = index.size
        self._postings = Postings(index.starts, index.items, index.weights, index.size)
        accented = [(word, term) for word, term in index.terms.items() if not word.isascii()]
        plain = {form(word): term for form in (spelled_out, without_accents) for word, term in accented}
        table = {**plain, **index.terms}  # a word that is written without accents keeps its own term
        words = tf.constant(list(table) or [""], tf.string)
        terms = tf.constant(list(table.values()) or [-1], tf.int64)
        self._terms = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(words, terms), default_value=-1)

    def __call__(self, request: Request) -> Tensor:
        """BM25 float32 [B, N] of request.query; 0 where an item shares no word with it.

        Of a doubtful word every alternative counts, by its weight; the weights of one word sum to 1.
        """
        parts, requests, weights = split_alternatives(request.query)
        words, of = surfaces(parts)
        terms = self._lookup(words)
        known = terms >= 0
        terms, of = tf.boolean_mask(terms, known), tf.boolean_mask(of, known)
        batch = tf.shape(request.query, tf.int64)[0]
        return self._postings.total(terms, tf.gather(requests, of), batch, tf.gather(weights, of))

    def _lookup(self, words: Tensor) -> Tensor:
        """Terms of words string [S], of those without their accents where nobody writes them so; else -1: int64 [S]."""
        terms = self._terms.lookup(words)
        other = tf.where((terms < 0) & ~tf.strings.regex_full_match(words, r"[\x00-\x7f]*"))
        folded = self._terms.lookup(accents_folded(tf.gather_nd(words, other)))
        return tf.tensor_scatter_nd_update(terms, other, folded)
