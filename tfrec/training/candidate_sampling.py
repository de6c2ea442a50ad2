"""How likely each item is to be among the candidates of a batch, which the logQ correction has to know."""

from __future__ import annotations

import numpy as np
import polars as pl

from tfrec.data.personalised.table import TASK as PERSONALISED
from tfrec.data.shop import ShopData
from tfrec.synth.hard_negatives import MinedNegatives
from tfrec.training.mixture import Mixture


def candidate_probability(
    shop: ShopData, mixture: Mixture, hard_negatives: int, mined: MinedNegatives | None = None
) -> np.ndarray:
    """Expected appearances of each item per example drawn, for the correction of in-batch negatives by log q.

    A few labelled pairs that fill a third of every batch appear far more often than their number among all pairs says,
    and judged negatives appear although they are nobody's positive: both are counted as they are drawn; purchases as
    if every one were an example. Source: Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations.

    Args:
        shop: the prepared data.
        mixture: what batches are drawn from; shares that move count by their mean.
        hard_negatives: judged or mined negatives drawn per search example.
        mined: the mined ones, or None.

    Returns:
        float32 [N], above 0; items that are never drawn get the least of the others.
    """
    expected = np.zeros(shop.size)
    for stream in mixture.streams:
        if stream.counts is not None:
            counts, examples = stream.counts.astype(np.float64), stream.size
        elif stream.task == "search":
            counts, examples = _of_searches(shop, hard_negatives, mined)
        elif stream.task == PERSONALISED:
            counts, examples = _of_personalised(shop, hard_negatives)
        else:
            bought = shop.interactions.filter(pl.col("split") == "train")["item"].to_numpy()
            counts, examples = np.bincount(bought, minlength=shop.size).astype(np.float64), len(bought)
        expected += stream.share * counts / max(examples, 1)
    drawn = expected > 0
    least = expected[drawn].min() if drawn.any() else 1.0
    return np.maximum(expected, least).astype(np.float32)


def _of_personalised(shop: ShopData, hard_negatives: int) -> tuple[np.ndarray, int]:
    """The same of searches with a history; what was passed over is drawn as judged negatives are."""
    train = shop.personalised.filter(pl.col("split") == "train")
    counts = np.bincount(train["item"].to_numpy(), minlength=shop.size).astype(np.float64)
    passed = train.select("negatives", (hard_negatives / pl.col("negatives").list.len()).alias("draws"))
    passed = passed.filter(pl.col("negatives").list.len() > 0).explode("negatives")
    counts += np.bincount(passed["negatives"].to_numpy(), passed["draws"].to_numpy(), minlength=shop.size)
    return counts, train.height


def _of_searches(shop: ShopData, hard_negatives: int, mined: MinedNegatives | None) -> tuple[np.ndarray, int]:
    """Expected appearances per item in one pass over the labelled pairs, and the number of pairs."""
    positive = (pl.col("gain") >= shop.manifest["min_gain"]) & (pl.col("gain") > 0)
    train = shop.searches.filter(pl.col("split") == "train").with_columns(positive.alias("positive"))
    judged = train.select("query", "item", "positive")
    if mined is not None:
        # Groups count the queries with a positive in this order: see tfrec.data.examples.search_examples.
        queries = train.filter("positive")["query"].unique(maintain_order=True).to_numpy()
        found = {"query": queries[mined.groups], "item": mined.items, "positive": np.zeros(len(mined.items), bool)}
        judged = pl.concat([judged, pl.DataFrame(found, schema=judged.schema)])
    positives, negatives = pl.col("positive").sum().over("query"), (~pl.col("positive")).sum().over("query")
    draws = pl.when("positive").then(1.0).otherwise(hard_negatives * positives / negatives)
    judged = judged.with_columns(draws.alias("draws"))
    counts = np.bincount(judged["item"].to_numpy(), judged["draws"].to_numpy(), minlength=shop.size)
    return counts, int(judged["positive"].sum())
