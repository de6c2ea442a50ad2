"""A ranker for searches of known shoppers learns from the log's weeks; kept where others of dev gain by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.ages import DAY
from tfrec.data.personalised.searches import searches_of
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, write_json
from tfrec.ranking.by_queries import METRIC, Teachers
from tfrec.ranking.by_windows import too_costly
from tfrec.ranking.dealt import dealt, taught
from tfrec.ranking.examples import Examples, personalised_examples, scorers_of
from tfrec.ranking.features.building import personalised_features
from tfrec.ranking.judged import judged
from tfrec.ranking.kept import Origin, keep_learned, kept_facts, kept_learned
from tfrec.ranking.opinions import BOTH, HEADS
from tfrec.ranking.ranker import Ranker, ranker_of
from tfrec.ranking.windows import known_before, known_until
from tfrec.retrieval.answers import KnownVectors
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.pool import key_of
from tfrec.retrieval.samples import BOTH as TASK
from tfrec.retrieval.samples import choosing_samples, of_searches
from tfrec.retrieval.weights import SituationWeights

_MOST_OF_WINDOW = 1000  # searches, one of each shopper; more say little and fill the memory


def personalised_ranker(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], origin: Origin, folder: Path,
    compare: Compare, teachers: Teachers | None,
) -> Ranker | None:  # fmt: skip
    """What orders searches of known shoppers once more, if it gains.

    It learns from the searches of dev's weeks, which no tower has been trained on, one of each shopper, and from those
    of the weeks before, as the untrained encoder sees their words and with scorers that know no purchase of their
    window. Whether it gains is asked by folds of dev, as for searches without a history.

    Args:
        config: sections ranking and retrieval and the seed are read.
        shop: the prepared data.
        fusion: with scorers that know the splits.
        splits: splits whose interactions the features may know.
        origin: of the outcome.
        folder: where the outcome is kept.
        compare: a paired comparison.
        teachers: give the vectors of requests; None where nothing may be learned now.
    """
    if not shop.has_personalised:
        return None
    facts = kept_facts(folder / "choice" / "ranking.json", origin)
    if facts is None:
        if teachers is None:
            return None
        facts = _learn(config, shop, fusion, teachers, origin, folder, compare)
    if not facts["used"]:
        return None
    features = personalised_features(config, known_until(shop, splits), fusion)
    return ranker_of(features, kept_learned(folder / "whole", origin))


def _learn(
    config: Config, shop: ShopData, fusion: Fusion, teachers: Teachers, origin: Origin, folder: Path, compare: Compare
) -> dict[str, Any]:
    """Trains, judges by folds and keeps; gives the outcome as plain JSON values."""
    section, task = config.ranking, HEADS[BOTH]
    samples = choosing_samples(shop, config.retrieval.fusion.max_requests, config.seed).get(TASK)
    count = 0 if samples is None else len(samples.queries)
    outcome: dict[str, Any] = {"used": False, "searches": count}
    if samples is None or count < section.least_queries:
        outcome["told"] = f"{task}: no ranker, for fewer than {section.least_queries} known shoppers of dev searched"
    else:
        examples = personalised_examples(config, known_until(shop, ("train",)), fusion, teachers.towers, samples)
        past = [some for some in _before(config, shop, fusion, teachers) if some.names == examples.names]
        histories = samples.histories or []
        keys = [key_of(*one) for one in zip(samples.queries, histories, samples.truths, strict=True)]
        found = dealt(section, examples, past, keys, config.seed, task)
        earlier = sum(len(some.right) for some in past)
        others = f" and {earlier} of weeks before" if past else ""
        by = f"{count} shoppers' searches of dev, each by what others{others} teach"
        outcome |= judged(config, task, METRIC, found.before, found.after, by, compare)
        if outcome["used"]:
            keep_learned(folder / "whole", taught(section, [*past, examples], config.seed, task), origin)
    with atomic_directory(folder / "choice") as aside:
        write_json(aside / "ranking.json", {**outcome, **origin.key()})
    return outcome


def _before(config: Config, shop: ShopData, fusion: Fusion, teachers: Teachers) -> Iterator[Examples]:
    """The searches of windows before dev, the newest first, as they would have been answered at the start of each.

    None where there is no untrained catalogue, weights depend on the towers' vectors, or windows take minutes.
    """
    table = shop.personalised.filter(pl.col("split") == "train")
    if teachers.untrained is None or not isinstance(fusion.weights, SituationWeights) or not table.height:
        return
    if shop.has_interactions and too_costly(config, shop):
        return
    items, encode = teachers.untrained()
    dense = DenseScorer(items)
    end, time = int(table["timestamp"].max()) + 1, pl.col("timestamp")  # type: ignore[arg-type]
    length = round(config.ranking.window_days * DAY)
    for number in range(config.ranking.windows):
        stop, start = end - number * length, end - (number + 1) * length
        inside = table.filter((time >= start) & (time < stop))
        samples = of_searches(searches_of(inside, "train", config.seed), _MOST_OF_WINDOW, config.seed)
        if samples is None:
            continue
        known = known_before(shop, start)
        plain = _plain(config, known, fusion, dense)
        if plain is not None:
            towers = KnownVectors(encode(samples.queries), teachers.towers.speller)
            found = personalised_examples(config, known, plain, towers, samples)
            if found.right.any():
                yield found


def _plain(config: Config, known: ShopData, fusion: Fusion, dense: DenseScorer) -> Fusion | None:
    """The fusion with scorers of what was known and of the untrained encoder; None where one of them knows nothing."""
    of_purchases = [name for name in fusion.labels if name not in ("dense", "lexical")]
    made = {scorer.label: scorer for scorer in scorers_of(config, known, of_purchases)}
    kept = {scorer.label: scorer for scorer in fusion.scorers if scorer.label == "lexical"}
    every = {**made, **kept, "dense": dense}
    if not set(fusion.labels) <= set(every):
        return None
    return Fusion([every[label] for label in fusion.labels], fusion.weights, fusion.normalisation)
