"""Labelled queries dealt into folds by their words: the same whatever order they come in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


def deal(keys: Sequence[str], seed: int, folds: int = FOLDS) -> NDArray[np.int64]:
    """Deals requests into folds of equal size, as far as that is possible.

    Args:
        keys: what tells the Q requests apart (the query's text); equal ones get one fold.
        seed: of the hash that orders them.
        folds: parts, at least 1; with fewer different keys there are only as many.

    Returns:
        the fold of every request, int64 [Q], counted from 0.
    """
    distinct = sorted(set(keys), key=lambda key: hashlib.sha256(f"folds\0{seed}\0{key}".encode()).digest())
    parts = max(1, min(folds, len(distinct)))
    fold_of = {key: place % parts for place, key in enumerate(distinct)}
    return np.array([fold_of[key] for key in keys], np.int64)
