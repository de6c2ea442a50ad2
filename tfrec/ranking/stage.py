"""The stage of ranking: a ranker is trained on windows of time, and kept only where a later one gains by it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.choosing.chance import beyond_chance
from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.ranking.examples import Examples, joined, window_examples
from tfrec.ranking.features.building import LARGEST_EASE, build_features
from tfrec.ranking.ranked_fusion import RankedFusion, opinions_of
from tfrec.ranking.ranker import Learned, Ranker
from tfrec.ranking.training import corrected, train_ranker
from tfrec.ranking.windows import known_until, windows
from tfrec.retrieval.building import known_splits
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.weights import SituationWeights

FORMAT = 3  # raise it when the same configuration shall be trained anew
METRIC = "nDCG@20"


def ranked(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], signature: str, folder: Path,
    compare: Compare, kept: bool = False,
) -> Fusion:  # fmt: skip
    """Puts a ranker behind a fusion, if one gains.

    Whether it does is asked once, of what was known for train: windows before the newest one train, the newest judges.
    The ranker itself learns from all windows, those of later splits too where these may be known.

    Args:
        config: sections ranking and retrieval and the seed are read.
        shop: the prepared data.
        fusion: with scorers that know the splits.
        splits: splits whose interactions may be known.
        signature: sha256 (hex) of everything that the towers' weights depend on.
        folder: where the outcome is kept.
        compare: a paired comparison.
        kept: take what was learned of this training, though the shop's files have changed since.

    Returns:
        the fusion itself where no ranker gains.
    """
    section = config.ranking
    if section.enabled == "never" or not shop.has_interactions or shop.repeats:
        return fusion  # candidates are what the shopper has not taken: no ranker where repeats are right, too
    about = f"{FORMAT}{signature}{config.hash_of('ranking', 'retrieval')}{fusion.labels}"
    fresh = "" if kept else shop.fingerprint
    outcome = _outcome(config, shop, fusion, about, fresh, folder, compare)
    if not outcome["used"]:
        return fusion
    splits = known_splits(shop, splits)
    learned = _learned(config, shop, fusion, splits, about, fresh, folder / "-".join(splits))
    now = known_until(shop, splits)
    features = build_features(config, now, [fusion.labels[number] for number in opinions_of(fusion)])
    if learned is None or [name for feature in features for name in feature.names] != learned.names:
        return fusion
    return RankedFusion(fusion, Ranker(features, learned), section.candidates)


def told(folder: Path) -> list[str]:
    """A sentence on what was chosen; none where nothing was asked."""
    file = folder / "choice" / "ranking.json"
    return [read_json(file)["told"]] if file.is_file() else []


def _outcome(
    config: Config, shop: ShopData, fusion: Fusion, about: str, fresh: str, folder: Path, compare: Compare
) -> dict[str, Any]:
    """Whether a ranker is used and how that was found, as plain JSON values; kept in choice/ranking.json."""
    file = folder / "choice" / "ranking.json"
    found = _kept(file, about, fresh)
    if found is None:
        several = [] if _too_costly(config, shop) else _examples(config, shop, fusion, ("train",))
        found = {**_chosen(config, shop, fusion, several, compare), **_key(about, shop)}
        if found["used"]:  # all windows are at hand
            _learn(config, shop, several, about, folder / "train")
        with atomic_directory(folder / "choice") as aside:
            write_json(aside / "ranking.json", found)
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
    gains = beyond_chance(after - before)
    used = gains or section.enabled == "always"
    share = f"{METRIC} {before.mean():.3f} -> {after.mean():.3f} for {len(before)} shoppers of a later window"
    how = f"the ranker orders the best {section.candidates} once more" if used else "no ranker, for it gains nothing"
    sure = "" if gains or not used else ", no more than chance; ranking.enabled is always"
    return {
        "used": used, "gains": gains, "metric": METRIC, "before": float(before.mean()), "after": float(after.mean()),
        "shoppers": len(before), "trained_on": len(past.right),
        "comparison": compare(after, before, config.seed, METRIC).to_dict(),
        "told": f"recommendation: {how} ({share}{sure})",
    }  # fmt: skip


def _examples(config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str]) -> list[Examples]:
    """The windows' examples, the newest first; none of a single window, which cannot both teach and judge, or where the
    fusion's weights do not hold in all of them."""
    section = config.ranking
    if not isinstance(fusion.weights, SituationWeights) or not opinions_of(fusion):
        return []
    found = windows(shop, splits, section.windows, section.window_days, section.least_shoppers)
    return [window_examples(config, window, fusion) for window in found] if len(found) > 1 else []


def _learned(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], about: str, fresh: str, folder: Path
) -> Learned | None:
    """What a ranker learns from all windows of the splits, kept in the folder; None where they hold nothing."""
    if _kept(folder / "about.json", about, fresh) is None:
        several = _examples(config, shop, fusion, splits)
        if not several or not joined(several).right.any():
            return None
        _learn(config, shop, several, about, folder)
    return _load(folder)


def _learn(config: Config, shop: ShopData, several: Sequence[Examples], about: str, folder: Path) -> None:
    learned = train_ranker(config.ranking, joined(several), config.seed, "Training the ranker")
    with atomic_directory(folder) as aside:
        _save(aside, learned)
        write_json(aside / "about.json", {**_key(about, shop), "kind": learned.kind, "names": learned.names})


def _key(about: str, shop: ShopData) -> dict[str, str]:
    return {"about": hashlib.sha256(about.encode()).hexdigest(), "data": shop.fingerprint}


def _kept(file: Path, about: str, fresh: str) -> dict[str, Any] | None:
    found = read_json(file) if file.is_file() else {}
    same = found.get("about") == hashlib.sha256(about.encode()).hexdigest()
    return found if same and fresh in ("", found.get("data")) else None


def _save(folder: Path, learned: Learned) -> None:
    named = {f"{m}.{n}": value for m, model in enumerate(learned.weights) for n, value in enumerate(model)}
    np.savez(folder / "learned.npz", mean=learned.mean, spread=learned.spread, scales=learned.scales, **named)  # type: ignore[arg-type]


def _load(folder: Path) -> Learned:
    facts = read_json(folder / "about.json")
    with np.load(folder / "learned.npz", allow_pickle=False) as file:
        scales = file["scales"]
        weights = [[] for _ in scales]  # type: list[list[np.ndarray]]
        for model, values in enumerate(weights):
            while f"{model}.{len(values)}" in file:
                values.append(file[f"{model}.{len(values)}"])
        return Learned(facts["kind"], facts["names"], file["mean"], file["spread"], scales, weights)
