"""How far two samples lie apart: population stability index, energy distance with a permutation test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import chdtri

_MOST_BINS, _LEAST_BINS = 10, 3
_PER_BIN = 20  # values; with fewer the index of two samples of one distribution is far from zero by chance alone
PERMUTATIONS = 1999


def psi(counts: Sequence[float], shares: Sequence[float]) -> float:
    """The population stability index Σ (p_i - q_i) ln(p_i / q_i), at least 0.

    Usual reading: below 0.1 alike, above 0.25 different (N. Siddiqi, Credit Risk Scorecards, 2006).

    Args:
        counts: of the new sample in each bin; not all 0.
        shares: of the reference in each bin. An empty bin counts as half a value, or the logarithm has no value.
    """
    total = sum(counts)
    least, found = 0.5 / total, 0.0
    for count, share in zip(counts, shares, strict=True):
        now, then = max(count / total, least), max(share, least)
        found += (now - then) * math.log(now / then)
    return found


def psi_by_chance(bins: int, new: int, reference: int, chance: float) -> float:
    """The index that two samples of one distribution exceed with a probability only (B. Yurdakul, 2018).

    Args:
        bins: how many.
        new, reference: sizes of the samples.
        chance: the probability.
    """
    return float(chdtri(max(bins - 1, 1), chance) * (1 / new + 1 / reference))


def bins_of(values: Any) -> dict[str, Any]:
    """Bins of equal shares of a sample, as plain JSON values: {"edges": inner ones, "shares", "count"}.

    Args:
        values: numbers; those that are not finite take no part.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    bins = int(np.clip(len(known) // _PER_BIN, _LEAST_BINS, _MOST_BINS))
    # Equal values make equal edges; each counts once, as bins between equal edges stay empty for ever.
    edges = np.unique(np.round(np.quantile(known, np.arange(1, bins) / bins), 6)) if len(known) else np.zeros(0)
    shares = np.round(counts_in(known, edges) / max(len(known), 1), 6)
    return {"edges": edges.tolist(), "shares": shares.tolist(), "count": len(known)}


def counts_in(values: Any, edges: Any) -> Any:
    """int64: values in each bin, one bin more than edges."""
    known = np.asarray(values, np.float64)
    places = np.searchsorted(np.asarray(edges), known[np.isfinite(known)], side="right")
    return np.bincount(places, minlength=len(edges) + 1)


def energy_test(then: Any, now: Any, seed: int = 0, permutations: int = PERMUTATIONS) -> tuple[float, float]:
    """The energy distance of two samples of vectors, and how probable one at least as large is by chance.

    Székely, Rizzo: Energy statistics (2013). The distance is divided by twice the mean distance between the samples.

    Args:
        then, now: float [A, D] and [B, D].
        seed: of the permutations.
        permutations: how many.

    Returns:
        (0..1, p of the permutation test).
    """
    both = np.concatenate([np.asarray(then, np.float64), np.asarray(now, np.float64)])
    squares = np.sum(both**2, axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * both @ both.T, 0))
    np.fill_diagonal(distances, 0)
    first, total = len(then), len(both)
    chosen = np.zeros([permutations + 1, total])
    chosen[0, :first] = 1
    draw = np.random.default_rng(seed)
    for row in chosen[1:]:
        row[draw.permutation(total)[:first]] = 1
    sums = chosen @ distances
    inside = np.sum(sums * chosen, axis=1) / first**2
    between = np.sum(sums * (1 - chosen), axis=1) / (first * (total - first))
    outside = (distances.sum() - np.sum(sums * chosen, axis=1) - 2 * np.sum(sums * (1 - chosen), axis=1)) / (
        total - first
    ) ** 2
    values = 2 * between - inside - outside
    p = (1 + int(np.sum(values[1:] >= values[0] - 1e-12))) / (permutations + 1)
    return float(max(values[0], 0) / max(2 * between[0], 1e-12)), p
