"""How likely each item is to be among the candidates of a batch, which the logQ correction has to know."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from tfrec.data.shop import ShopData
from tfrec.synth.stage import TASK as SYNTHETIC
from tfrec.synth.stage import SyntheticExamples


def candidate_probability(
    shop: ShopData, synthetic: SyntheticExamples | None, shares: Mapping[str, float], hard_negatives: int
) -> np.ndarray:
    """Expected appearances of each item per example drawn, for the correction of in-batch negatives by log q.

    A few labelled pairs that fill a third of every batch appear far more often than their number among all pairs says,
    and judged negatives appear although they are nobody's positive: both are counted as they are drawn; purchases as
    if every one were an example. Source: Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations.

    Args:
        shop: the prepared data.
        synthetic: examples made beside the shop's own, or None.
        shares: task -> share of the examples drawn from it.
        hard_negatives: judged negatives drawn per search example.

    Returns:
        float32 [N], above 0; items that are never drawn get the least of the others.
    """
    expected = np.zeros(shop.size)
    for task, share in shares.items():
        if task == SYNTHETIC and synthetic is not None:
            counts, examples = synthetic.counts.astype(np.float64), synthetic.size
        elif task == "search":
            counts, examples = _of_searches(shop, hard_negatives)
        else:
            bought = shop.interactions.filter(pl.col("split") == "train")["item"].to_numpy()
            counts, examples = np.bincount(bought, minlength=shop.size).astype(np.float64), len(bought)
        expected += share * counts / max(examples, 1)
    drawn = expected > 0
    least = expected[drawn].min() if drawn.any() else 1.0
    return np.maximum(expected, least).astype(np.float32)


def _of_searches(shop: ShopData, hard_negatives: int) -> tuple[np.ndarray, int]:
    """Expected appearances per item in one pass over the labelled pairs, and the number of pairs."""
    positive = (pl.col("gain") >= shop.manifest["min_gain"]) & (pl.col("gain") > 0)
    judged = shop.searches.filter(pl.col("split") == "train").with_columns(positive.alias("positive"))
    positives, negatives = pl.col("positive").sum().over("query"), (~pl.col("positive")).sum().over("query")
    draws = pl.when("positive").then(1.0).otherwise(hard_negatives * positives / negatives)
    judged = judged.with_columns(draws.alias("draws"))
    counts = np.bincount(judged["item"].to_numpy(), judged["draws"].to_numpy(), minlength=shop.size)
    return counts, int(judged["positive"].sum())
