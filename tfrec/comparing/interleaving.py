"""Two rankings become one list, and each item belongs to a team: team-draft and balanced interleaving. NumPy alone.

All functions work on S lists at once; items are numbers, -1 is an empty place. Teams are 0 (a), 1 (b) and -1 (both).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

BOTH = -1
_ENUMERATED = 10  # rounds of a draft whose coins are all tried: 1,024 lists
Items = NDArray[np.int64]


def stable_coins(*named: str, count: int) -> NDArray[np.bool_]:
    """Fair coins that are the same for the same names, in every process and version of Python.

    Args:
        named: what they belong to, such as the experiment, the session and the query.
        count: how many.

    Returns:
        bool [count].
    """
    digest = hashlib.shake_256("\0".join(named).encode()).digest(count // 8 + 1)
    return np.unpackbits(np.frombuffer(digest, np.uint8))[:count].astype(bool)


def rounds_of(size: int) -> int:
    """How many coins the draft of a list of this size may need."""
    return (size + 1) // 2


def team_draft(a: Items, b: Items, coins: NDArray[np.bool_], size: int) -> tuple[Items, NDArray[np.int8]]:
    """Team-draft interleaving.

    In each round a coin says which ranking picks first; each picks its best item that nobody has picked. The items
    that both rankings begin with alike are shown as they are and belong to both: a coin would decide their team, which
    adds noise and tells nothing. Where one ranking has no more items, the rest is the other's.

    Args:
        a, b: int [S, N] and [S, M], best first, each item once.
        coins: bool [S, rounds_of(size)], whether b picks first.
        size: places of the list, K.

    Returns:
        items int [S, K] and teams int8 [S, K].

    Source: Radlinski, Kurup and Joachims 2008, How Does Clickthrough Data Reflect Retrieval Quality?
    """
    a, b, lists, rows = _not_empty(a), _not_empty(b), len(a), np.arange(len(a))
    items, teams = np.full((lists, size), -1, np.int64), np.full((lists, size), BOTH, np.int8)
    alike = _common_prefix(a, b)
    free = [a >= 0, b >= 0]
    picked = np.zeros((2, lists), np.int64)
    for place in range(size):
        shared = place < alike
        has = [free[0].any(axis=1), free[1].any(axis=1)]
        coin = coins[rows, np.minimum(picked.min(axis=0), coins.shape[1] - 1)]
        turn = np.where(picked[0] == picked[1], coin, picked[0] > picked[1])
        team = np.where(turn & has[1] | ~has[0], 1, 0)
        first = [free[0].argmax(axis=1), free[1].argmax(axis=1)]
        item = np.where(team == 1, b[rows, first[1]], a[rows, first[0]])
        there = has[0] | has[1]
        items[:, place] = np.where(there, item, -1)
        counts = there & ~shared
        teams[:, place] = np.where(counts, team, BOTH)
        picked[0] += counts & (team == 0)
        picked[1] += counts & (team == 1)
        free = [free[0] & (a != item[:, None]), free[1] & (b != item[:, None])]
    return items, teams


def balanced(a: Items, b: Items, b_first: NDArray[np.bool_], size: int) -> Items:
    """Balanced interleaving: at every depth the list holds equally many of both rankings' best, give or take one.

    Args:
        a, b: as in `team_draft`.
        b_first: bool [S], which ranking leads; the fair coin.
        size: places of the list, K.

    Returns:
        items int [S, K]. Credit needs the ranks of what is clicked in both rankings (`ranks_in`).

    Source: Joachims 2002, Optimizing Search Engines using Clickthrough Data; 2003, Evaluating Retrieval Performance
    Using Clickthrough Data.
    """
    a, b = _padded(_not_empty(a), _not_empty(b))
    lead, other = np.where(b_first[:, None], b, a), np.where(b_first[:, None], a, b)
    both = np.stack([lead, other], axis=2).reshape(len(a), -1)  # lead 1, other 1, lead 2, other 2 ...
    new = both >= 0
    for place in range(1, both.shape[1]):
        new[:, place] &= ~(both[:, :place] == both[:, place, None]).any(axis=1)
    order = np.argsort(~new, axis=1, kind="stable")
    sorted_items = np.where(np.take_along_axis(new, order, 1), np.take_along_axis(both, order, 1), -1)[:, :size]
    return np.pad(sorted_items, ((0, 0), (0, size - sorted_items.shape[1])), constant_values=-1)


def ranks_in(items: Items, ranking: Items) -> Items:
    """Where a ranking has the items: int [S, K] from 1, 0 where it does not have them."""
    same = (items[:, :, None] == _not_empty(ranking)[:, None, :]) & (items >= 0)[:, :, None]
    return np.where(same.any(axis=2), same.argmax(axis=2) + 1, 0)


def draft_propensities(a: Items, b: Items, items: Items) -> NDArray[np.float64] | None:
    """The chance, over all coins of a draft, that each place of a list holds the item that it does.

    Args:
        a, b: int [N] and [M], one ranking each.
        items: int [K], the list that was drawn.

    Returns:
        float64 [K]; None where there are more than ten rounds to try.
    """
    rounds = rounds_of(len(items))
    if rounds > _ENUMERATED:
        return None
    coins = (np.arange(2**rounds)[:, None] >> np.arange(rounds) & 1).astype(bool)
    every, _ = team_draft(np.tile(a, (len(coins), 1)), np.tile(b, (len(coins), 1)), coins, len(items))
    return np.asarray((every == items).mean(axis=0))


def _not_empty(ranking: Items) -> Items:
    """At least one place, for what runs along them."""
    return ranking if ranking.shape[1] else np.full((len(ranking), 1), -1, np.int64)


def _common_prefix(a: Items, b: Items) -> NDArray[np.int64]:
    width = min(a.shape[1], b.shape[1])
    same = (a[:, :width] == b[:, :width]) & (a[:, :width] >= 0)
    return np.asarray(np.cumprod(same, axis=1).sum(axis=1), np.int64)


def _padded(first: Items, second: Items) -> tuple[Items, Items]:
    width = max(first.shape[1], second.shape[1])
    return tuple(  # type: ignore[return-value]
        np.pad(some, ((0, 0), (0, width - some.shape[1])), constant_values=-1) for some in (first, second)
    )
