"""Draws the queries of the demo shop: a need taken from a real item of it, the words for it, and judged items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from tfrec.data.demo.catalogue import MIDDLE, NONE, Catalogue
from tfrec.data.demo.needs import MET, NEARLY, TYPE_ONLY, Judge, Need
from tfrec.data.demo.query_words import QueryWriter
from tfrec.errors import DataError

# kind: scope, share of all queries, attributes that may be wished for, the smallest and largest number of wishes.
_KINDS: dict[str, tuple[str, float, tuple[str, ...], int, int]] = {
    "type": ("type", 0.10, (), 0, 0),
    "attribute": ("type", 0.40, ("colour", "material", "audience", "style", "feature", "size", "band"), 1, 3),
    "use": ("type", 0.17, ("colour", "material", "audience", "style", "feature"), 0, 1),
    "vague": ("any", 0.13, ("audience", "colour", "material"), 0, 1),
    "category": ("category", 0.08, ("use", "feature", "material", "audience", "style", "colour"), 1, 2),
    "brand": ("type", 0.12, ("colour", "audience", "material", "style"), 0, 1),
}
_FIRST_WISH = {"use": "use", "vague": "use", "brand": "brand"}
_MOST_WISHES = 5
_MOST_BEST = 60
_MOST_JUDGED = {MET: _MOST_BEST, NEARLY: 100, TYPE_ONLY: 20}
_ENOUGH_BEST, _MOST_NEARLY_THEN = 10, 30
_HARD_NEGATIVES = 10


@dataclass(frozen=True)
class Query:
    """One query with its judgments.

    Attributes:
        text: what the shopper types; no two queries have the same words, in whatever order or case.
        need: the latent need.
        items: int64[J] judged rows of the catalogue.
        gains: float64[J] their gains: 0, 0.1, 0.5 or 1.
    """

    text: str
    need: Need
    items: NDArray[np.int64]
    gains: NDArray[np.float64]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a query, which are those of no other one."""
    return tuple(sorted(text.casefold().split()))


def draw_queries(catalogue: Catalogue, writer: QueryWriter, count: int, seed: int) -> Iterator[Query]:
    """Draws `count` queries with different words.

    Args:
        catalogue: the latent items.
        writer: puts needs into words.
        count: the number of queries.
        seed: the seed.

    Yields:
        the queries.

    Raises:
        DataError: the catalogue is too small for so many different queries.
    """
    rng = np.random.default_rng([seed, 2])
    random = Random(seed * 1000 + 2)
    judge = Judge(catalogue)
    curiosity = np.cumsum(np.sqrt(catalogue.popularity) + 0.2 / catalogue.size)
    kinds, shares = list(_KINDS), np.cumsum([kind[1] for kind in _KINDS.values()])
    seen: set[tuple[str, ...]] = set()
    for _ in range(40 * count + 1000):
        if len(seen) == count:
            return
        item = min(int(np.searchsorted(curiosity, random.random() * curiosity[-1])), catalogue.size - 1)
        kind = kinds[min(int(np.searchsorted(shares, random.random())), len(kinds) - 1)]
        need = _draw_need(catalogue, judge, kind, item, random)
        if need is None:
            continue
        text = writer.write(need)
        words = words_of(text)
        if words in seen:
            continue
        seen.add(words)
        yield Query(text, need, *_judged(judge, need, rng))
    if len(seen) < count:
        raise DataError(
            f"{catalogue.size} items give only {len(seen)} different queries, not {count}: ask for fewer queries."
        )


def _draw_need(catalogue: Catalogue, judge: Judge, kind: str, item: int, random: Random) -> Need | None:
    """A need that `item` meets fully, narrow enough to be judged whole; None if this item gives none of that kind."""
    scope, _, optional, least, most = _KINDS[kind]
    value = int(catalogue[scope][item]) if scope != "any" else NONE

    def wish(attribute: str) -> tuple[str, int] | None:
        index = int(catalogue[attribute][item])
        return None if index == NONE or (attribute == "band" and index == MIDDLE) else (attribute, index)

    wishes = []
    if kind in _FIRST_WISH:
        first = wish(_FIRST_WISH[kind])
        if first is None:
            return None
        wishes.append(first)
    possible = [found for attribute in optional if (found := wish(attribute))]
    possible.sort(key=lambda _: random.random())
    number = least + int((most - least + 1) * random.random())
    if len(possible) < least:
        return None
    wishes += possible[:number]
    # In a bigger shop a short query fits hundreds of items: shoppers say more until the result is a page or two.
    rest = possible[number:]
    while True:
        need = Need(kind if wishes else "type", scope, value, tuple(wishes))
        rows = judge.candidates(need)
        if int((judge.gains(need, rows) == MET).sum()) <= _MOST_BEST:
            return need
        if not rest or len(wishes) == _MOST_WISHES:
            return None
        wishes.append(rest.pop())


def _judged(judge: Judge, need: Need, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The whole relevant set (up to a cap per gain) and some hard items of no gain, best first."""
    rows = judge.candidates(need)
    gains = judge.gains(need, rows)
    items: list[NDArray[np.int64]] = []
    kept: list[NDArray[np.float64]] = []
    for gain, most in _MOST_JUDGED.items():
        level = rows[gains == gain]
        if gain == NEARLY and len(items[0]) >= _ENOUGH_BEST:
            most = _MOST_NEARLY_THEN  # the first page can be filled with better items
        if len(level) > most:
            level = np.sort(rng.permutation(level)[:most])
        items.append(level)
        kept.append(np.full(len(level), gain))
    hard = _hard_negatives(judge, need, rows[gains == 0], rng)
    return np.concatenate([*items, hard]), np.concatenate([*kept, np.zeros(len(hard))])


def _hard_negatives(judge: Judge, need: Need, near: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Items of gain 0 that share wishes with the need: from its own scope first, then from anywhere."""
    pool = rng.integers(0, judge.size, 300)
    if need.scope == "type":
        pool = np.concatenate([pool, rng.permutation(judge.category(judge.category_of_type(need.value)))[:300]])
    pool = np.unique(np.concatenate([pool, rng.permutation(near)[:100]]))
    pool = pool[judge.gains(need, pool) == 0]
    closeness = rng.random(len(pool))
    for wish in need.wishes:
        closeness += judge.agreement(*wish, pool)
    if need.scope == "type":
        closeness += 0.7 * (judge.agreement("category", judge.category_of_type(need.value), pool))
    return np.sort(pool[np.argsort(-closeness, kind="stable")[:_HARD_NEGATIVES]])
