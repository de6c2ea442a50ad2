"""A ranker for searches of known shoppers learns from dev's weeks of the log; kept where others of them gain by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.ranking.by_queries import METRIC
from tfrec.ranking.dealt import dealt, taught
from tfrec.ranking.examples import personalised_examples
from tfrec.ranking.features.building import personalised_features
from tfrec.ranking.judged import judged
from tfrec.ranking.kept import Origin, keep_learned, kept_learned, outcome
from tfrec.ranking.opinions import BOTH, HEADS
from tfrec.ranking.ranker import Ranker, ranker_of
from tfrec.ranking.windows import known_until
from tfrec.retrieval.answers import QueryVectors
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.pool import key_of
from tfrec.retrieval.samples import BOTH as TASK
from tfrec.retrieval.samples import choosing_samples


def personalised_ranker(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], origin: Origin, folder: Path,
    compare: Compare, towers: QueryVectors | None,
) -> Ranker | None:  # fmt: skip
    """What orders searches of known shoppers once more, if it gains.

    It learns from the searches of dev's weeks, which no tower has been trained on, one of each shopper. Whether it
    gains is asked by folds of them, as for searches without a history. The weeks before teach nothing: what the trained
    towers say of them says nothing of others, and what the untrained encoder finds there is another list than shoppers
    get; in the demo shop such examples took away what dev taught.

    Args:
        config: sections ranking and retrieval and the seed are read.
        shop: the prepared data.
        fusion: with scorers that know the splits.
        splits: splits whose interactions the features may know.
        origin: of the outcome.
        folder: where the outcome is kept.
        compare: a paired comparison.
        towers: give the vectors of requests; None where nothing may be learned now.
    """
    if not shop.has_personalised:
        return None
    learn = None if towers is None else lambda: _learn(config, shop, fusion, towers, origin, folder, compare)
    facts = outcome(folder, origin, learn)
    if facts is None or not facts["used"]:
        return None
    features = personalised_features(config, known_until(shop, splits), fusion)
    return ranker_of(features, kept_learned(folder / "whole", origin))


def _learn(
    config: Config, shop: ShopData, fusion: Fusion, towers: QueryVectors, origin: Origin, folder: Path, compare: Compare
) -> dict[str, Any]:
    """Trains, judges by folds and keeps; gives the outcome as plain JSON values."""
    section, task = config.ranking, HEADS[BOTH]
    samples = choosing_samples(shop, config.retrieval.fusion.max_requests, config.seed).get(TASK)
    count = 0 if samples is None else len(samples.queries)
    found: dict[str, Any] = {"used": False, "searches": count}
    if samples is None or count < section.least_queries:
        found["told"] = f"{task}: no ranker, for fewer than {section.least_queries} known shoppers of dev searched"
    else:
        examples = personalised_examples(config, known_until(shop, ("train",)), fusion, towers, samples)
        histories = samples.histories or []
        keys = [key_of(*one) for one in zip(samples.queries, histories, samples.truths, strict=True)]
        reached = dealt(section, examples, [], keys, config.seed, task)
        by = f"{count} shoppers' searches of dev, each by what others teach"
        found |= judged(config, task, METRIC, reached.before, reached.after, by, compare)
        if found["used"]:
            keep_learned(folder / "whole", taught(section, [examples], config.seed, task), origin)
    return found
