"""Rankings that a trained model must beat: BM25 over the words, popularity over the sales.

The third usual baseline, the encoder without fine-tuning ("zero-shot"), is `retrieval.top_k` over its vectors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import bm25s
import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from tfrec.errors import EvaluationError
from tfrec.evaluation.retrieval import best_of_rows, top_k
from tfrec.retrieval.tokens import Tokenizer

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells every step where the root logger lets it


class Bm25:
    """Lexical ranking by BM25 in Lucene's form, on stemmed words or character pairs.

    An item's score is the sum over the query's terms (a repeated term counts again) of
    `ln(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * length / mean length))`.

    Source: Robertson & Zaragoza 2009; Kamphuis et al. 2020 for the variants; Lù 2024 (bm25s).
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary: dict[str, int], index: bm25s.BM25 | None, size: int) -> None:
        """Use `fit`."""
        self._tokenizer, self._vocabulary, self._index, self.size = tokenizer, vocabulary, index, size

    @classmethod
    def fit(cls, texts: Sequence[str], language: str = "auto", k1: float = 1.2, b: float = 0.75) -> Bm25:
        """Indexes the catalogue.

        Args:
            texts: one text per item; position = item index. Empty texts are allowed and never found.
            language: see `Tokenizer`.
            k1: how slowly repeated words saturate, at least 0.
            b: how much long texts are held back, 0..1.

        Returns:
            the ready index.

        Raises:
            EvaluationError: there is no item, or the language has no stemmer.
        """
        if not len(texts):
            raise EvaluationError("BM25 needs at least one item text, but the catalogue is empty.")
        tokenizer = Tokenizer(language)
        vocabulary: dict[str, int] = {}
        documents = [[vocabulary.setdefault(term, len(vocabulary)) for term in tokenizer(text)] for text in texts]
        index = None
        if vocabulary:  # bm25s divides by the mean length, which is 0 when no text holds a word
            index = bm25s.BM25(k1=k1, b=b, method="lucene")
            index.index((documents, dict(vocabulary)), create_empty_token=False, show_progress=False)
        return cls(tokenizer, vocabulary, index, len(texts))

    def rank(self, queries: Sequence[str], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Ranks the items that share at least one term with the query; see `rank_by_words`."""
        return rank_by_words(self.scores, queries, k)

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 of every item for one query: float32[N], 0 where no term is shared."""
        terms = [self._vocabulary[term] for term in self._tokenizer(query) if term in self._vocabulary]
        if self._index is None or not terms:
            return np.zeros(self.size, np.float32)
        return np.asarray(self._index.get_scores_from_ids(terms), np.float32)


def rank_by_words(
    scores: Callable[[str], NDArray[np.float32]], queries: Sequence[str], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Ranks the items that share at least one term with the query.

    Args:
        scores: query -> score of every item, float32[N], 0 where no term is shared.
        queries: Q query texts; an empty one, or one of unknown words, finds nothing.
        k: number of items wanted per query, at least 1; may exceed the catalogue.

    Returns:
        (item indices int32[Q, k], scores float32[Q, k]), best first, equal scores by lower index; places
        without an item hold -1 and -inf.

    Raises:
        EvaluationError: k is below 1.
    """
    if k < 1:
        raise EvaluationError(f"k must be at least 1, but is {k}.")
    indices = np.full((len(queries), k), -1, np.int32)
    best_scores = np.full((len(queries), k), -np.inf, np.float32)
    for row, query in enumerate(queries):
        every = scores(query)
        found = np.flatnonzero(every > 0)  # every shared term adds a positive amount: 0 = nothing in common
        best, values = best_of_rows(every[None, found], k)
        indices[row, : len(found)], best_scores[row, : len(found)] = found[best[0]], values[0]
    return indices, best_scores


def brand_and_title(items: pl.DataFrame) -> list[str]:
    """What BM25 reads as a baseline, whatever data.template says: brand, where there is one, and title."""
    columns = [name for name in ("brand", "title") if name in items.columns]
    joined = items.select(pl.concat_str(columns, separator=" ").str.strip_chars().alias("text"))
    texts: list[str] = joined["text"].to_list()
    return texts


def rank_by_popularity(
    counts: ArrayLike, number_of_queries: int, k: int, exclude: Sequence[ArrayLike | None] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Gives everybody the same bestsellers, without what each shopper must not see.

    Args:
        counts: number[N], how popular each item is.
        number_of_queries: Q, the rows wanted.
        k: number of items wanted per row.
        exclude: per row the item indices to leave out (for example the shopper's history), or None.

    Returns:
        (item indices int32[Q, k], counts as float32[Q, k]); ties by lower index; empty places -1 and -inf.
    """
    column = np.asarray(counts, np.float32).reshape(-1, 1)
    return top_k(np.ones((number_of_queries, 1), np.float32), column, k, exclude)
