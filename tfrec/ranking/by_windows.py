"""A ranker for recommendations is trained on windows of time, and kept only where a later one gains by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.ranking.examples import Examples, joined, window_examples
from tfrec.ranking.features.building import LARGEST_EASE, build_features
from tfrec.ranking.judged import judged
from tfrec.ranking.kept import Origin, keep_learned, kept_learned, outcome
from tfrec.ranking.opinions import opinions_of
from tfrec.ranking.ranker import Learned, Ranker, ranker_of
from tfrec.ranking.training import corrected, train_ranker
from tfrec.ranking.windows import known_until, windows
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.weights import SituationWeights

METRIC = "nDCG@20"


def history_ranker(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], origin: Origin, folder: Path,
    compare: Compare,
) -> Ranker | None:  # fmt: skip
    """What orders recommendations once more, if it gains.

    Whether it does is asked once, of what was known for train: windows before the newest one train, the newest judges.
    The ranker itself learns from all windows, those of later splits too where these may be known.

    Args:
        config: sections ranking and retrieval and the seed are read.
        shop: the prepared data, with interactions.
        fusion: with scorers that know the splits.
        splits: splits whose interactions may be known.
        origin: of the outcome.
        folder: where the outcome is kept.
        compare: a paired comparison.
    """
    facts = outcome(folder, origin, lambda: _decided(config, shop, fusion, origin, folder, compare))
    if facts is None or not facts["used"]:
        return None
    learned = _learned(config, shop, fusion, splits, origin, folder / "-".join(splits))
    now = known_until(shop, splits)
    features = build_features(config, now, [fusion.labels[number] for number in opinions_of(fusion)])
    return ranker_of(features, learned)


def _decided(
    config: Config, shop: ShopData, fusion: Fusion, origin: Origin, folder: Path, compare: Compare
) -> dict[str, Any]:
    """See `outcome`."""
    several = [] if _too_costly(config, shop) else _examples(config, shop, fusion, ("train",))
    found = _chosen(config, shop, fusion, several, compare)
    if found["used"]:  # all windows are at hand
        keep_learned(folder / "train", _learn(config, several), origin)
    return found


def _too_costly(config: Config, shop: ShopData) -> bool:
    """Whether every window would take minutes."""
    section = config.retrieval.collaborative
    if config.ranking.enabled == "always" or section.model not in ("auto", "ease"):
        return False
    taken = shop.interactions.filter(pl.col("split") == "train")["item"].n_unique()
    return taken > LARGEST_EASE and (section.model == "ease" or taken <= section.largest_ease)


def _chosen(
    config: Config, shop: ShopData, fusion: Fusion, several: Sequence[Examples], compare: Compare
) -> dict[str, Any]:
    section = config.ranking
    if len(several) < 2 or not joined(several[1:]).right.any():
        why = f"fewer than 2 windows of {section.window_days:g} days have {section.least_shoppers} returning shoppers"
        if not isinstance(fusion.weights, SituationWeights) or not opinions_of(fusion):
            why = "no scorer but the towers' ranks histories by fixed weights"
        elif _too_costly(config, shop):
            why = f"ease of more than {LARGEST_EASE:,} items takes minutes for each window (ranking.enabled: always)"
        return {"used": False, "told": f"recommendation: no ranker, for {why}"}
    judge, past = several[0], joined(several[1:])
    learned = train_ranker(section, past, config.seed, "Training a ranker on earlier windows")
    before, after = judge.ndcg(), judge.ndcg(corrected(learned, judge))
    by = f"{len(before)} shoppers of a later window"
    found = judged(config, "recommendation", METRIC, before, after, by, compare)
    return {**found, "shoppers": len(before), "trained_on": len(past.right)}


def _examples(config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str]) -> list[Examples]:
    """The windows' examples, the newest first; none of a single window, which cannot both teach and judge, or where the
    fusion's weights do not hold in all of them."""
    section = config.ranking
    if not isinstance(fusion.weights, SituationWeights) or not opinions_of(fusion):
        return []
    found = windows(shop, splits, section.windows, section.window_days, section.least_shoppers)
    return [window_examples(config, window, fusion) for window in found] if len(found) > 1 else []


def _learned(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], origin: Origin, folder: Path
) -> Learned | None:
    """What a ranker learns from all windows of the splits, kept in the folder; None where they hold nothing."""
    learned = kept_learned(folder, origin)
    if learned is None:
        several = _examples(config, shop, fusion, splits)
        if not several or not joined(several).right.any():
            return None
        learned = _learn(config, several)
        keep_learned(folder, learned, origin)
    return learned


def _learn(config: Config, several: Sequence[Examples]) -> Learned:
    return train_ranker(config.ranking, joined(several), config.seed, "Training the ranker")
