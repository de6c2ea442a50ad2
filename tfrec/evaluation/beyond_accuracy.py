"""What accuracy does not say: how much of the catalogue is shown, how evenly, how new, how varied, how surprising."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from tfrec.evaluation.metrics import mean_of
from tfrec.evaluation.recommendation import COVERAGE, CUT
from tfrec.retrieval.tokens import Tokenizer

GINI, NOVELTY, DIVERSITY, SERENDIPITY = "Gini", "Novelty (bits)", "Diversity", "Serendipity"


def content_vectors(texts: Sequence[str]) -> Any:
    """The items' words as unit TF-IDF vectors: a space of likeness that belongs to none of the systems compared.

    Args:
        texts: one text per item.

    Returns:
        CSR float32 [N, terms]; an item without words has an empty row.
    """
    tokenizer = Tokenizer("auto")
    vocabulary: dict[str, int] = {}
    columns, ends = [], [0]
    for text in texts:
        columns += [vocabulary.setdefault(term, len(vocabulary)) for term in tokenizer(text)]
        ends.append(len(columns))
    shape = (len(texts), max(1, len(vocabulary)))
    counts = sp.csr_matrix((np.ones(len(columns), np.float32), np.asarray(columns, np.int64), ends), shape)
    counts.sum_duplicates()
    holders = np.bincount(counts.indices, minlength=shape[1])
    counts.data = ((1 + np.log(counts.data)) * np.log((1 + len(texts)) / (1 + holders))[counts.indices]).astype(
        np.float32
    )
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).ravel()
    counts.data /= np.maximum(np.repeat(norms, np.diff(counts.indptr)), 1e-9).astype(np.float32)
    return counts


def gini(exposure: ArrayLike) -> float:
    """How unevenly places are given to items.

    Args:
        exposure: number [N], how often each item of the catalogue is shown, 0 included.

    Returns:
        0 (every item as often as any other) to nearly 1 (one item has all places); NaN when nothing is shown.
    """
    counts = np.sort(np.asarray(exposure, np.float64))
    total = counts.sum()
    if total <= 0:
        return float("nan")
    n = len(counts)
    return float(((2 * np.arange(1, n + 1) - n - 1) * counts).sum() / (n * total))


def novelty(ranked: NDArray[np.int32], counts: ArrayLike, shoppers: int) -> NDArray[np.float64]:
    """Mean self-information of the items shown: how little they are known.

    Args:
        ranked: int [U, k], -1 = empty place.
        counts: number [N], shoppers who took each item before.
        shoppers: how many shoppers there were.

    Returns:
        float64 [U], mean of -log2((count + 1) / (shoppers + 1)) in bits; NaN for an empty list.

    Source: Zhou et al. 2010, Solving the apparent diversity-accuracy dilemma of recommender systems.
    """
    share = (np.asarray(counts, np.float64) + 1.0) / (shoppers + 1.0)
    bits = np.maximum(-np.log2(share), 0.0)
    shown = ranked >= 0
    total = np.where(shown, bits[np.maximum(ranked, 0)], 0.0).sum(axis=1)
    return _divided(total, shown.sum(axis=1))


def diversity(ranked: NDArray[np.int32], vectors: Any) -> NDArray[np.float64]:
    """Intra-list diversity: 1 - mean cosine over all pairs of a list.

    Args:
        ranked: int [U, k], -1 = empty place.
        vectors: unit rows [N, D], CSR or dense.

    Returns:
        float64 [U], 0 (all alike) to 1 (nothing in common, for vectors that are not negative); NaN below two items.

    Source: Ziegler et al. 2005, Improving recommendation lists through topic diversification.
    """
    shown = ranked >= 0
    lengths = shown.sum(axis=1)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    lists = sp.csr_matrix((np.ones(int(ends[-1]), np.float32), ranked[shown], ends), (len(ranked), vectors.shape[0]))
    # |sum of vectors|^2 holds every pair twice and every item with itself once
    total, own = _squares(lists @ vectors), lists @ _squares(vectors)
    return 1.0 - _divided(total - own, lengths * (lengths - 1))


def serendipity(
    truths: Sequence[Sequence[int]], ranked: NDArray[np.int32], obvious: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Right items that the list of bestsellers would not have shown, as a share of the places they could fill.

    Args:
        truths: per shopper the right items.
        ranked: int [U, k], the list measured, -1 = empty place.
        obvious: int [U, k], what everybody would have recommended.

    Returns:
        float64 [U], 0..1; NaN for a shopper without truth.

    Source: Murakami et al. 2008, Metrics for evaluating the serendipity of recommendation lists; the primitive
    recommender is popularity.
    """
    found = [
        len((set(truth) & set(row)) - set(known))
        for truth, row, known in zip(truths, ranked.tolist(), obvious.tolist(), strict=True)
    ]
    return _divided(np.array(found, np.float64), np.minimum([len(truth) for truth in truths], CUT))


def beyond_accuracy(
    truths: Sequence[Sequence[int]],
    ranked: NDArray[np.int32],
    obvious: NDArray[np.int32],
    counts: ArrayLike,
    shoppers: int,
    vectors: Any,
) -> dict[str, float]:
    """All of this module for one system.

    Args:
        truths: per shopper the right items.
        ranked: int [U, k], -1 = empty place.
        obvious: int [U, k], the bestsellers for the same shoppers.
        counts: number [N], shoppers who took each item before.
        shoppers: how many shoppers there were before.
        vectors: unit rows [N, D].

    Returns:
        name -> value, in the order of the table.
    """
    shown = np.bincount(ranked[ranked >= 0], minlength=vectors.shape[0])
    return {
        COVERAGE: float((shown > 0).mean()),
        GINI: gini(shown),
        NOVELTY: mean_of(novelty(ranked, counts, shoppers)),
        DIVERSITY: mean_of(diversity(ranked, vectors)),
        SERENDIPITY: mean_of(serendipity(truths, ranked, obvious)),
    }


def _squares(matrix: Any) -> NDArray[np.float64]:
    """Squared length of every row."""
    if sp.issparse(matrix):
        return np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64).ravel()
    return np.einsum("nd,nd->n", matrix, matrix, dtype=np.float64)


def _divided(total: NDArray[np.float64], count: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
