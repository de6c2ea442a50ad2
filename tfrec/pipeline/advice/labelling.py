"""Which queries to label next: where the two scorers disagree, by how often they are asked, unlike each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tfrec.pipeline.advice.asked import MADE, THIN, Asked
from tfrec.pipeline.advice.view import CUT, View
from tfrec.progress import track
from tfrec.synth.hybrid import best


@dataclass(frozen=True)
class Proposal:
    """A query to label.

    Attributes:
        query: as it was typed.
        times: how often it was asked.
        shared: items that both scorers have among their first ten.
        value: what it was chosen by, 0..1 times the logarithm of `times`, before likeness to others counts.
        reason: one sentence.
        items: rows of the items to judge: the first ten of both, those of the lexical scorer first.
        by_words: how many of them the lexical scorer found.
    """

    query: str
    times: float
    shared: int
    value: float
    reason: str
    items: tuple[int, ...]
    by_words: int

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def proposals(view: View, asked: Sequence[Asked], count: int) -> list[Proposal]:
    """Picks queries one after the other.

    The value of a query is the share of its first ten on which the scorers disagree, times the logarithm of how often
    it is asked, less what it has in common with a query that is labelled or already picked (maximal marginal relevance,
    Carbonell & Goldstein 1998; disagreement as in query by committee, Seung et al. 1992).

    Args:
        view: the shop.
        asked: candidates.
        count: how many are wanted.
    """
    if not asked:
        return []
    vectors = view.encode([one.query for one in asked])
    tuned = view.tuner.tuned()
    found = [
        _proposal(view, one, view.tuner.scores(one.query, tuned), view.items @ vector)
        for one, vector in zip(track(asked, "Asking both scorers what could be labelled"), vectors, strict=True)
    ]
    values = np.array([one.value for one in found])
    thin = np.array([one.origin == THIN for one in asked])
    # What is labelled already is like itself: only new queries are held against the labelled ones, and they come first.
    near = np.zeros(len(found))
    if view.queries and not thin.all():
        near[~thin] = np.clip(vectors[~thin] @ view.vectors.T, 0, 1).max(axis=1)
    chosen: list[Proposal] = []
    free = np.ones(len(found), bool)
    while free.any() and len(chosen) < count:
        among = free & ~thin if (free & ~thin).any() else free
        pick = int(np.where(among, values * (1 - near), -np.inf).argmax())
        chosen.append(found[pick])
        free[pick] = False
        near = np.maximum(near, np.clip(vectors @ vectors[pick], 0, 1))
    return chosen


def _proposal(view: View, one: Asked, lexical: np.ndarray, dense: np.ndarray) -> Proposal:
    by_words = [int(item) for item in best(lexical, min(CUT, len(lexical))) if lexical[item] > 0]
    by_meaning = [int(item) for item in best(dense, min(CUT, len(dense)))]
    shared = len(set(by_words) & set(by_meaning))
    apart = 1 - shared / max(1, len(by_meaning))
    items = tuple(dict.fromkeys([*by_words, *by_meaning]))
    times = f"asked {one.times:,.0f} times; " if one.times > 1 else ""
    if not by_words:
        why = "no word of it is in the catalogue, so that only the encoder answers"
    else:
        why = f"the scorers share {shared} of their first {len(by_meaning)} items"
    if one.origin == THIN:
        judged = view.judgments[one.query]
        unjudged = sum(item not in judged for item in items)
        apart *= unjudged / max(1, len(items))
        why += f", and nobody judged {unjudged} of the {len(items)} that either finds"
    if one.origin == MADE:
        why += "; cut from the catalogue, for want of any search"
    return Proposal(
        one.query,
        one.times,
        shared,
        float(apart * np.log2(1 + max(one.times, 0))),
        f"{times}{why}",
        items,
        len(by_words),
    )
