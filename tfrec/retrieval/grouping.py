"""Groups of near items, all of about one size: what a two-level search looks into."""

from __future__ import annotations

import numpy as np

from tfrec.progress import track

_FILLED = 0.8  # of a group's places on average: with none to spare, late items would go far from home
_ROUNDS, _CHOICES = 2, 4  # of moving items to nearer groups, and groups that an item asks for before it takes any
_AT_ONCE = 4096
_TOGETHER = 1 << 17  # items that are moved among each other, so that the work grows with the items and not faster
_CUTS = 4  # improvements of a direction that parts items in two


def balanced_groups(vectors: np.ndarray, width: int, seed: int, description: str = "Grouping items") -> np.ndarray:
    """Items by nearness, none in two groups.

    Items are halved again and again along the direction between two means, so that all groups are as large; then, among
    the groups of each 131,072 items, each item asks for those whose means are nearest (k-means with a bound on a
    group's size), and who would lose most elsewhere comes first.

    Args:
        vectors: unit vectors float32 [N, D], at least one.
        width: places of a group, at least 2.
        seed: of the first directions.
        description: of the progress, "" for none.

    Returns:
        rows int32 [M, width]; -1 in places that stay empty, at a group's end; M is about N / (0.8 * width).
    """
    rng, groups = np.random.default_rng(seed), []
    for rows in track(_halved(vectors, -(-len(vectors) // _TOGETHER), rng), description):
        some = vectors[rows]
        parts = _halved(some, -(-len(some) // max(1, int(_FILLED * width))), rng)
        for _ in range(_ROUNDS):
            parts = _moved(some, parts, width)
        groups += [rows[part] for part in parts]
    found = np.full([len(groups), width], -1, np.int32)
    for number, rows in enumerate(groups):
        found[number, : len(rows)] = rows
    return found


def _halved(vectors: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`count` groups whose sizes differ by a few items."""
    found, waiting = [], [(np.arange(len(vectors)), count)]
    while waiting:
        rows, parts = waiting.pop()
        if parts == 1:
            found.append(rows)
            continue
        place = round(len(rows) * (parts // 2) / parts)
        order = _along(vectors[rows], place, rng)
        waiting += [(rows[order[:place]], parts // 2), (rows[order[place:]], parts - parts // 2)]
    return found


def _along(some: np.ndarray, place: int, rng: np.random.Generator) -> np.ndarray:
    """An order of items whose first `place` lie to one side."""
    one, other = some[rng.choice(len(some), 2, replace=False)]
    direction = one - other
    for _ in range(_CUTS):
        order = np.argpartition(some @ direction, place)
        direction = some[order[place:]].mean(axis=0) - some[order[:place]].mean(axis=0)
    return np.argpartition(some @ direction, place)


def _moved(vectors: np.ndarray, groups: list[np.ndarray], width: int) -> list[np.ndarray]:
    """Every item in the nearest group that has a place for it; none stays empty."""
    if len(groups) == 1:
        return groups
    means = np.stack([vectors[rows].mean(axis=0) for rows in groups])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    choices, likeness = _nearest(vectors, means)
    pressing = np.argsort(
        likeness[:, 1] - likeness[:, 0], kind="stable"
    )  # who loses most by a second choice comes first
    home, room = np.full(len(vectors), -1), np.full(len(groups), width)
    for column in range(choices.shape[1]):
        asking = pressing[home[pressing] < 0]
        wanted = choices[asking, column]
        by_group = np.argsort(wanted, kind="stable")
        asking, wanted = asking[by_group], wanted[by_group]
        first = np.searchsorted(wanted, wanted)
        taken = np.arange(len(wanted)) - first < room[wanted]
        home[asking[taken]] = wanted[taken]
        room -= np.bincount(wanted[taken], minlength=len(groups))
    for row in np.flatnonzero(home < 0):
        home[row] = np.where(room > 0, means @ vectors[row], -np.inf).argmax()
        room[home[row]] -= 1
    order = np.argsort(home, kind="stable")
    parted = np.split(order, np.searchsorted(home[order], np.arange(1, len(groups))))
    return [rows for rows in parted if len(rows)]


def _nearest(vectors: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The groups nearest to every item, best first: numbers and likeness, [N, choices] each."""
    depth = min(_CHOICES, len(means))
    numbers, likeness = np.empty([len(vectors), depth], np.int64), np.empty([len(vectors), depth], np.float32)
    for start in range(0, len(vectors), _AT_ONCE):
        scores = vectors[start : start + _AT_ONCE] @ means.T
        best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        found = np.take_along_axis(scores, best, 1)
        order = np.argsort(-found, axis=1, kind="stable")
        numbers[start : start + _AT_ONCE] = np.take_along_axis(best, order, 1)
        likeness[start : start + _AT_ONCE] = np.take_along_axis(found, order, 1)
    return numbers, likeness
