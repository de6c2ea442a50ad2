"""The stage of the cross-encoder: taught once by training queries, kept, and given to the ranker as a feature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, write_json
from tfrec.ranking.cross.feature import Cross
from tfrec.ranking.cross.lists import lists
from tfrec.ranking.cross.model import CrossEncoder
from tfrec.ranking.cross.training import train_cross
from tfrec.ranking.kept import Origin, kept_facts
from tfrec.retrieval.answers import QueryVectors, rank_requests
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.samples import train_samples

FILE, WEIGHTS = "cross.json", "cross.npz"
_DEEP = 50  # items of the first stage that wrong ones are drawn from
_MOST_QUERIES = 20_000
_latest: dict[tuple[str, str, str], Cross] = {}  # one: folds and splits ask for it again, and it is large


def cross_feature(
    config: Config, shop: ShopData, fusion: Fusion, origin: Origin, folder: Path, towers: QueryVectors | None
) -> Cross | None:
    """What a cross-encoder says of a search's best candidates; None where the shop wants none or cannot teach one.

    It learns from training queries, so that dev can tell whether it gains: a ranker that hears it must learn from dev
    alone.

    Args:
        config: sections encoder and ranking and the seed are read.
        shop: the prepared data.
        fusion: whose best items are wrong ones to learn from, with scorers that know no more than train.
        origin: of the outcome.
        folder: where the outcome is kept.
        towers: give the vectors of queries; None where nothing may be learned now.
    """
    section = config.ranking.cross_encoder
    if not section.enabled or not shop.has_searches:
        return None
    facts = kept_facts(folder / FILE, origin)
    if facts is None:
        if towers is None:
            return None
        facts = _learn(config, shop, fusion, origin, folder, towers)
    if not facts["used"]:
        return None
    key = (str(folder), origin.about, shop.fingerprint)
    if key not in _latest:
        _latest.clear()
        cross = CrossEncoder(config, shop.item_texts)
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            cross.assign([arrays[str(number)] for number in range(len(arrays.files))])
        _latest[key] = Cross(cross, section.best, cross.encoder.precision)
    return _latest[key]


def _learn(
    config: Config, shop: ShopData, fusion: Fusion, origin: Origin, folder: Path, towers: QueryVectors
) -> dict[str, Any]:
    """Trains and keeps; gives the outcome as plain JSON values."""
    section = config.ranking.cross_encoder
    samples = train_samples(shop, _MOST_QUERIES, config.seed).get("search")
    count = 0 if samples is None else len(samples.queries)
    outcome: dict[str, Any] = {"used": False, "queries": count}
    if samples is None or count < section.least_queries:
        outcome["told"] = f"search: no cross-encoder, for fewer than {section.least_queries} training queries teach one"
    cross = CrossEncoder(config, shop.item_texts) if "told" not in outcome else None
    with atomic_directory(folder) as aside:
        if cross is not None and samples is not None:
            rows, _ = rank_requests(
                towers, lambda request: fusion(request, [0, 1]), samples.queries, None, _DEEP, shop.size
            )
            batches = lists(samples.truths, rows, section.batch_queries, section.items_of_query, config.seed)
            steps = train_cross(section, cross, samples.queries, batches)
            arrays: dict[str, Any] = {str(number): value for number, value in enumerate(cross.learned())}
            np.savez(aside / WEIGHTS, **arrays)
            outcome |= {"used": steps > 0, "steps": steps}
            outcome["told"] = f"search: a cross-encoder learned from {count:,} training queries in {steps:,} steps"
        write_json(aside / FILE, {**outcome, **origin.key()})
    return outcome
