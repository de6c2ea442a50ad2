"""Whether two answers are the same, up to the rounding of two machines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

SAME = ""


def close(one: float, other: float, tolerance: float) -> bool:
    """Whether two numbers differ by at most `tolerance`, relative to the larger where that is above 1."""
    if math.isnan(one) or math.isnan(other):
        return False
    if math.isinf(one) or math.isinf(other):  # places that nothing fills
        return one == other
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other))


def rankings(
    ids: Sequence[Any], scores: Sequence[float], other_ids: Sequence[Any], other_scores: Sequence[float],
    tolerance: float,
) -> str:  # fmt: skip
    """Compares two ranked lists.

    Scores must agree place by place. Items may change places only among scores that rounding cannot tell apart, and an
    item may be missing in one list only if it ties with its last one.

    Returns:
        "" if they are the same, or else what differs.
    """
    if len(ids) != len(other_ids) or len(ids) != len(scores) or len(other_ids) != len(other_scores):
        return f"{len(ids)} items with {len(scores)} scores, not {len(other_ids)} with {len(other_scores)}"
    for place, (score, other) in enumerate(zip(scores, other_scores, strict=True), start=1):
        if not close(score, other, tolerance):
            return f"score {other:.6g} at place {place}, not {score:.6g}"
    for mine, my_scores, theirs, their_scores in (
        (ids, scores, other_ids, other_scores),
        (other_ids, other_scores, ids, scores),
    ):
        at = {item: place for place, item in enumerate(theirs)}
        for place, item in enumerate(mine):
            place_there = at.get(item, len(theirs) - 1)
            if not close(my_scores[place], their_scores[place_there], tolerance):
                return f"item {_text(item)} at another place than rounding explains"
    return SAME


def values(one: Any, other: Any, tolerance: float, path: str = "") -> str:
    """Compares two trees of JSON values or arrays; "item_ids" beside "scores" are compared as rankings.

    Returns:
        "" if they are the same, or else where they differ.
    """
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.dtype != other.dtype or one.shape != other.shape:
            return f"{path or 'answer'}: {other.dtype}{list(other.shape)}, not {one.dtype}{list(one.shape)}"
        one, other = one.tolist(), other.tolist()
    if isinstance(one, dict) and isinstance(other, dict):
        return _mappings(one, other, tolerance, path)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{path or 'answer'}: {len(other)} values, not {len(one)}"
        return _first(values(a, b, tolerance, f"{path}[{n}]") for n, (a, b) in enumerate(zip(one, other, strict=True)))
    if isinstance(one, float) and isinstance(other, (float, int)) and not isinstance(other, bool):
        same = close(one, float(other), tolerance)
    else:
        same = type(one) is type(other) and one == other
    return SAME if same else f"{path or 'answer'}: {_text(other)}, not {_text(one)}"


def _mappings(one: dict[str, Any], other: dict[str, Any], tolerance: float, path: str) -> str:
    if set(one) != set(other):
        return f"{path or 'answer'}: has {sorted(other)}, not {sorted(one)}"
    names, found = sorted(one), SAME
    if all(isinstance(side.get(name), (list, np.ndarray)) for side in (one, other) for name in ("item_ids", "scores")):
        names = [name for name in names if name not in ("item_ids", "scores")]
        sides = [[np.asarray(side[name]).tolist() for name in ("item_ids", "scores")] for side in (one, other)]
        (ids, scores), (other_ids, other_scores) = sides
        if len({len(ids), len(scores), len(other_ids), len(other_scores)}) != 1:
            return f"{path or 'answer'}: {len(other_ids)} rows, not {len(ids)}"
        rows = zip(ids, scores, other_ids, other_scores, strict=True)
        found = _first(
            told and f"{path}row {number}: {told}"
            for number, told in enumerate(rankings(*row, tolerance) for row in rows)
        )
    return found or _first(values(one[name], other[name], tolerance, f"{path}{name} ") for name in names)


def _first(told: Any) -> str:
    return next((text for text in told if text), SAME)


def _text(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
