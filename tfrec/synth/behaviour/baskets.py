"""Baskets of thin shoppers, as a collaborative model holds them plausible."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.config.synth_behaviour import PurchasesConfig
from tfrec.progress import track
from tfrec.synth.behaviour.history import PurchaseHistory
from tfrec.synth.behaviour.plan import balanced_plan, take
from tfrec.synth.behaviour.plausible import BLOCK_SCORES, SMOOTHING, Plausible, PurchaseRows

_LEAST = -60.0  # e to this power is still a float32


def simulate_baskets(
    history: PurchaseHistory, plausible: Plausible, settings: PurchasesConfig, seed: int
) -> tuple[pl.DataFrame, np.ndarray]:
    """Gives thin shoppers more baskets.

    When a basket is bought and how large it is comes from a real basket; who buys it is a thin shopper who was there
    by then; what is in it follows the model, corrected so that the items' popularity is the real one. Nobody takes
    again what he has.

    Args:
        history: what was really taken.
        plausible: the model.
        settings: who is thin, how many baskets, how sharp the choice.
        seed: of all draws.

    Returns:
        columns of PURCHASES, by basket; and what popularity would have been without the correction, float64 [N].
        confidence: the chance of the pair against the chance of a basket that only follows popularity, as odds: 0.5 is
        no more plausible than that.
    """
    rng = np.random.default_rng(seed)
    sizes, times, users = _slots(history, settings, rng)
    shares = (history.popularity + SMOOTHING) / (history.popularity + SMOOTHING).sum()
    block = max(1, BLOCK_SCORES // history.size)
    uncorrected = np.zeros(history.size)
    rows = PurchaseRows()
    for start in track(range(0, len(users), block), "Simulating baskets"):
        part = slice(start, start + block)
        buyers, counts = users[part], sizes[part]
        standard = plausible.standard(buyers)
        level = (standard - standard.max(axis=1, keepdims=True)) / plausible.temperature
        chances = np.exp(np.maximum(level, _LEAST))  # implausible, but never impossible: popularity may want it
        chances[history.matrix[buyers].nonzero()] = 0.0
        uncorrected += (chances * (counts / np.maximum(chances.sum(axis=1), 1e-20))[:, None]).sum(axis=0)
        plan = balanced_plan(chances, counts, shares)
        for place in range(len(plan)):
            items = take(plan[place], int(counts[place]), rng)
            odds = plan[place, items] / (counts[place] * shares[items])
            confidence = odds / (1.0 + odds)
            rows.add(start + place, buyers[place], times[start + place], items, standard[place, items], confidence)
    return rows.frame(), uncorrected


def _slots(
    history: PurchaseHistory, settings: PurchasesConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes, times and shoppers of the baskets to simulate, in order of time."""
    kept = np.asarray(history.matrix.sum(axis=1)).reshape(-1)
    thin = np.lexsort((np.arange(len(kept)), kept))[: max(1, round(settings.thin_share * len(kept)))]
    baskets = history.baskets
    mean = float(baskets["count"].to_numpy().clip(max=settings.largest_basket).mean())
    count = min(round(settings.baskets_per_shopper * len(thin)), max(1, int(settings.most / mean)))
    # every real basket before any comes twice: sizes and times come out as they really are
    turns = [rng.permutation(baskets.height) for _ in range(-(-count // baskets.height))]
    chosen = np.concatenate([np.zeros(0, np.int64), *turns])[:count]
    times, sizes = baskets["timestamp"].to_numpy()[chosen], baskets["count"].to_numpy()[chosen]
    order = np.argsort(times, kind="stable")
    first = np.array([history.items_of[user][1][0] for user in thin])
    thin = thin[np.argsort(first, kind="stable")]
    there = np.searchsorted(np.sort(first), times[order], side="left")
    there[there == 0] = len(thin)  # before anybody was there: anybody
    users = thin[(rng.random(count) * there).astype(np.int64)]
    return np.minimum(sizes[order], history.size), times[order], users
