"""Shoppers who might be the first to take an item that hardly anyone took."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.config.synth_behaviour import PurchasesConfig
from tfrec.synth.behaviour.history import PurchaseHistory
from tfrec.synth.behaviour.plausible import BLOCK_SCORES, SMOOTHING, Plausible, PurchaseRows

_MOST_SHOPPERS = 20_000  # who are looked at


def simulate_first_buyers(
    history: PurchaseHistory, plausible: Plausible, settings: PurchasesConfig, seed: int
) -> pl.DataFrame:
    """Finds shoppers who might be the first to take a cold item.

    Args:
        history: what was really taken.
        plausible: the model with its cold items.
        settings: how many shoppers per item.
        seed: of all draws.

    Returns:
        columns of PURCHASES, basket -1, time = the shopper's latest; confidence as in `simulate_baskets`, times the
        likeness of the items that told the place. Active shoppers come more often, as they do in truth.
    """
    rng = np.random.default_rng(seed + 1)
    cold = plausible.cold
    if not len(cold.items) or not settings.cold_shoppers:
        return PurchaseRows().frame()
    users = np.sort(rng.permutation(len(history.users))[:_MOST_SHOPPERS])
    block = max(1, BLOCK_SCORES // history.size)
    scores = np.concatenate(
        [plausible.standard(users[start : start + block])[:, cold.items] for start in range(0, len(users), block)]
    )
    matrix = history.matrix[users]
    activity = np.asarray(matrix.sum(axis=1)).reshape(-1) + SMOOTHING
    activity = activity / activity.sum()
    rows = PurchaseRows()
    for place, item in enumerate(cold.items.tolist()):
        column = scores[:, place]
        level = (column - column.mean()) / (column.std() + 1e-6)
        weight = np.exp((level - level.max()) / plausible.temperature) * activity
        weight[matrix[:, [item]].nonzero()[0]] = 0.0
        if not weight.any():
            continue
        chance = weight / weight.sum()
        # the largest of log chance + Gumbel noise are draws without replacement
        with np.errstate(divide="ignore"):
            keys = np.log(chance) + rng.gumbel(size=len(chance))
        best = np.lexsort((users, -keys))[: min(settings.cold_shoppers, int((chance > 0).sum()))]
        odds = chance[best] / activity[best]
        confidence = cold.likeness[place] * odds / (1.0 + odds)
        times = np.array([history.items_of[user][1][-1] for user in users[best]])
        rows.add(-1, users[best], times, np.full(len(best), item), column[best], confidence)
    return rows.frame()
