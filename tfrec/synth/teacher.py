"""Labels for made queries: what a word index and the untrained encoder find together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.progress import Progress
from tfrec.synth.hybrid import BLOCK_SCORES, hybrid_scores
from tfrec.synth.hybrid import best as best_of


@dataclass(frozen=True)
class Labels:
    """What the teacher says about Q queries.

    Attributes:
        best: item indices int32 [Q, T], best first: the items that answer the query.
        share: float32 [Q, T], how the teacher spreads its belief over them; rows sum to 1.
        near: item indices int32 [Q, M]: items close to the query that do not answer it.
    """

    best: np.ndarray
    share: np.ndarray
    near: np.ndarray


def hybrid_labels(
    queries: Sequence[str],
    encode: Callable[[Sequence[str]], np.ndarray],
    items: np.ndarray,
    lexical: Callable[[str], np.ndarray],
    top: int,
    near: int,
) -> Labels:
    """Ranks the catalogue for each query by the sum of the z-scores of BM25 and of cosine similarity.

    The sum ranks better than either part, so a dense student of it learns what the words know and its own geometry does
    not: distillation of a hybrid ranker on made queries, as in GPL (Wang et al. 2022) without a cross-encoder.

    Args:
        queries: Q texts.
        encode: queries to unit vectors float32 [*, D], by the untrained encoder.
        items: the catalogue's unit vectors float32 [N, D] by the same encoder.
        lexical: a query to BM25 scores float32 [N].
        top: T, items per query that count as answers.
        near: M, items after them, with a gap between, that count as hard negatives.

    Returns:
        the labels; T and M shrink with a small catalogue.
    """
    size = len(items)
    top = min(top, size)
    gap = top // 2
    depth = min(size, top + gap + near)
    best = np.zeros([len(queries), top], np.int32)
    share = np.zeros([len(queries), top], np.float32)
    negatives = np.zeros([len(queries), max(0, depth - top - gap)], np.int32)
    block = max(1, min(1024, BLOCK_SCORES // size))
    catalogue = np.ascontiguousarray(items.T)
    with Progress("Labelling made queries", len(queries)) as progress:
        for first in range(0, len(queries), block):
            part = queries[first : first + block]
            totals = hybrid_scores(encode(part) @ catalogue, np.stack([lexical(query) for query in part]))
            for row, total in enumerate(totals):
                order = best_of(total, depth)
                belief = np.exp(total[order[:top]] - total[order[0]])
                best[first + row], share[first + row] = order[:top], belief / belief.sum()
                negatives[first + row] = order[top + gap :]
            progress.advance(len(part))
    return Labels(best, share, negatives)
