"""Where the teacher finds the item that a query was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.config.synth_filters import Scorer
from tfrec.progress import Progress
from tfrec.synth.hybrid import BLOCK_SCORES, hybrid_scores
from tfrec.synth.source import Teacher

_ENCODED = 32_768  # queries given to the encoder at once


@dataclass(frozen=True)
class TeacherRanks:
    """What the teacher says of R pairs.

    Attributes:
        ranks: per scorer float32 [R], 1 = found first; equal scores share their middle place. Infinite where a lexical
            query has no word in common with its item.
        margin: float32 [R], the pair's sum of z-scores minus the best item's: 0 for the best, below 0 for all others.
    """

    ranks: dict[Scorer, np.ndarray]
    margin: np.ndarray


def teacher_ranks(
    queries: Sequence[str], targets: np.ndarray, teacher: Teacher, scorers: Sequence[Scorer], margin: bool = False
) -> TeacherRanks:
    """Searches the whole catalogue with each distinct query once.

    Args:
        queries: R texts; repeats cost nothing.
        targets: item indices int64 [R], all 0 or more.
        teacher: who searches.
        scorers: whose ranks are wanted.
        margin: whether the margin is wanted too; else it is NaN.

    Returns:
        the ranks.
    """
    distinct = list(dict.fromkeys(queries))
    places = {query: number for number, query in enumerate(distinct)}
    owners = np.array([places[query] for query in queries], np.int64)
    by_query = np.argsort(owners, kind="stable")
    ends = np.cumsum(np.bincount(owners, minlength=len(distinct)))
    ranks = {scorer: np.full(len(queries), np.nan, np.float32) for scorer in scorers}
    margins = np.full(len(queries), np.nan, np.float32)
    hybrid = margin or "hybrid" in scorers
    block = max(1, min(1024, BLOCK_SCORES // len(teacher.items)))
    catalogue = np.ascontiguousarray(teacher.items.T)
    vectors = np.zeros([0, teacher.items.shape[1]], np.float32)
    with Progress("Searching with made queries", len(distinct)) as progress:
        for first in range(0, len(distinct), block):
            part = distinct[first : first + block]
            rows = by_query[(ends[first - 1] if first else 0) : ends[first + len(part) - 1]]
            local, items = owners[rows] - first, targets[rows]
            scores: dict[Scorer, np.ndarray] = {}
            if hybrid or "dense" in scorers:
                if len(vectors) < len(part):  # many at once: the encoder sorts them by length
                    more = distinct[first + len(vectors) :][:_ENCODED]
                    vectors = np.concatenate([vectors, teacher.encode(more)])
                scores["dense"] = vectors[: len(part)] @ catalogue
                vectors = vectors[len(part) :]
            if hybrid or "lexical" in scorers:
                scores["lexical"] = np.stack([teacher.lexical(query) for query in part])
            for scorer in (name for name in ranks if name != "hybrid"):
                ranks[scorer][rows] = _ranks(scores[scorer], local, items)
                if scorer == "lexical":
                    ranks[scorer][rows[scores[scorer][local, items] <= 0]] = np.inf
            if hybrid:
                total = hybrid_scores(scores["dense"], scores["lexical"])
                if "hybrid" in scorers:
                    ranks["hybrid"][rows] = _ranks(total, local, items)
                margins[rows] = total[local, items] - total.max(axis=1)[local]
            progress.advance(len(part))
    return TeacherRanks(ranks, margins if margin else np.full_like(margins, np.nan))


def _ranks(scores: np.ndarray, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
    own = scores[rows, items]
    ranks = np.empty(len(rows), np.float32)
    for number, (row, score) in enumerate(zip(rows.tolist(), own, strict=True)):
        line = scores[row]
        better = np.count_nonzero(line > score)
        as_good = np.count_nonzero(line >= score) - better
        ranks[number] = better + (as_good + 1) / 2
    return ranks
