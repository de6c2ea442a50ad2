"""Groups of near items, all of about one size: what a two-level search looks into."""

from __future__ import annotations

import numpy as np

from tfrec.progress import track
from tfrec.tensorflow_setup import tf

_FILLED = 0.8  # of a group's places on average: with none to spare, late items would go far from home
_ROUNDS, _CHOICES = 2, 4  # of moving items to nearer groups, and groups that an item asks for before it takes any
_AT_ONCE = 4096
_CUTS = 4  # improvements of a direction that parts items in two


def balanced_groups(vectors: np.ndarray, width: int, seed: int, description: str = "Grouping items") -> np.ndarray:
    """Items by nearness, none in two groups.

    Items are halved again and again along the direction between two means, so that all groups are as large; then each
    item asks for the groups whose means are nearest (k-means with a bound on a group's size), and who would lose most
    elsewhere comes first. Every item is compared with every mean: at a million items a tenth of what encoding takes.

    Args:
        vectors: unit vectors float32 [N, D], at least one.
        width: places of a group, at least 2.
        seed: of the first directions.
        description: of the progress, "" for none.

    Returns:
        rows int32 [M, width]; -1 in places that stay empty, at a group's end; M is about N / (0.8 * width).
    """
    count = -(-len(vectors) // max(1, int(_FILLED * width)))
    groups = _halved(vectors, count, np.random.default_rng(seed))
    for number in range(_ROUNDS):
        groups = _moved(vectors, groups, width, f"{description}, {number + 1} of {_ROUNDS}" if description else "")
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


def _moved(vectors: np.ndarray, groups: list[np.ndarray], width: int, description: str) -> list[np.ndarray]:
    """Every item in the nearest group that has a place for it; none stays empty."""
    if len(groups) == 1:
        return groups
    means = np.stack([vectors[rows].mean(axis=0) for rows in groups])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    choices, likeness = _nearest(vectors, means, description)
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


def _nearest(vectors: np.ndarray, means: np.ndarray, description: str) -> tuple[np.ndarray, np.ndarray]:
    """The groups nearest to every item, best first: numbers int32 and likeness float32, [N, choices] each."""
    found = [
        tf.math.top_k(tf.matmul(vectors[start : start + _AT_ONCE], means, transpose_b=True), min(_CHOICES, len(means)))
        for start in track(range(0, len(vectors), _AT_ONCE), description)
    ]
    return np.concatenate([one.indices for one in found]), np.concatenate([one.values for one in found])
