"""Shoppers whose taste and habits are known, shown lists by a ranker with favourites of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrec.clicks import Lists

EXAMINATION = 1.0 / np.arange(1, 11) ** 0.8


@dataclass(frozen=True)
class Simulated:
    """Lists, the true attractiveness [P] and satisfaction [P], the query of each pair [P]."""

    lists: Lists
    attractiveness: np.ndarray
    satisfaction: np.ndarray
    query: np.ndarray


def simulate(
    model: str, searches: int = 20_000, seed: int = 5, right: float = 0.0, continuation: float = 0.85
) -> Simulated:
    """`searches` lists of 10 out of 15 items for each of 40 queries, the first queries the most frequent.

    Args:
        model: pbm (EXAMINATION), cascade or dbn (satisfaction, continuation).
        right: how far the ranker's opinion follows attractiveness, beside lasting errors and noise that moves items.
    """
    rng = np.random.default_rng(seed)
    queries, items, depth = 40, 15, 10
    attractiveness = rng.beta(1.5, 4.0, (queries, items))
    satisfaction = rng.beta(3.0, 2.0, (queries, items))
    ranks = attractiveness.argsort(axis=1).argsort(axis=1) / items
    opinion = right * ranks + 2.5 * rng.random((queries, items))
    often = 1.0 / np.arange(1, queries + 1) ** 0.7
    query = rng.choice(queries, searches, p=often / often.sum())
    order = np.argsort(-(opinion[query] + rng.gumbel(size=(searches, items)) * 0.7), axis=1)[:, :depth]
    pair = query[:, None] * items + order
    attract, satisfy = attractiveness.ravel()[pair], satisfaction.ravel()[pair]
    wanted = rng.random(pair.shape) < attract
    if model == "pbm":
        clicked = wanted & (rng.random(pair.shape) < EXAMINATION)
    else:
        ends = np.ones(pair.shape, bool) if model == "cascade" else rng.random(pair.shape) < satisfy
        stays = np.ones(pair.shape, bool) if model == "cascade" else rng.random(pair.shape) < continuation
        looked = np.ones(searches, bool)
        clicked = np.zeros(pair.shape, bool)
        for place in range(depth):
            clicked[:, place] = looked & wanted[:, place]
            looked = looked & stays[:, place] & ~(clicked[:, place] & ends[:, place])
    lists = Lists(
        pair=pair.ravel().astype(np.int32),
        position=np.tile(np.arange(depth, dtype=np.int16), searches),
        clicked=clicked.ravel(),
        start=np.arange(searches + 1, dtype=np.int64) * depth,
        weight=np.ones(searches),
        pairs=queries * items,
    )
    of_pair = np.repeat(np.arange(queries), items)
    return Simulated(lists, attractiveness.ravel(), satisfaction.ravel(), of_pair)
