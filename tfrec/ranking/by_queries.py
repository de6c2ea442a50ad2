"""A ranker for search learns from judged queries that the towers have not seen; kept where others gain by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.split import FOLDS
from tfrec.ranking.dealt import dealt, taught
from tfrec.ranking.examples import Examples, query_examples
from tfrec.ranking.features.building import query_features
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.judged import judged
from tfrec.ranking.kept import Origin, keep_learned, kept_learned, outcome
from tfrec.ranking.opinions import QUERY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.ranker import Learned, Ranker, ranker_of
from tfrec.ranking.windows import known_until
from tfrec.retrieval.answers import KnownVectors, QueryVectors
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.dense import over
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.pool import key_of
from tfrec.retrieval.samples import choosing_samples, train_samples
from tfrec.retrieval.weights import SituationWeights

METRIC = "nDCG@10"
_MOST_OF_TRAIN = 2500  # queries; they are scored a second time


class Teachers(NamedTuple):
    """Who gives queries their vectors.

    Attributes:
        towers: the trained ones, for queries that they have not seen.
        untrained: gives the untrained encoder's item vectors float32 [N, H] and its function from queries to float32
            [Q, H], for the others; None where these are not at hand.
    """

    towers: QueryVectors
    untrained: Callable[[], tuple[Any, Callable[[list[str]], Any]]] | None = None


def query_ranker(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], origin: Origin, folder: Path,
    compare: Compare, teachers: Teachers | None, more: Sequence[Feature] = (),
) -> Ranker | None:  # fmt: skip
    """What orders search once more, if it gains.

    It learns from the queries of dev, which no tower has been trained on, and from those of train as the untrained
    encoder sees them. Whether it gains is asked by folds of dev, dealt three times: each is ordered by what the others
    teach. A shop whose few queries are all needed to choose has no such ranker.

    Args:
        config: sections ranking and retrieval and the seed are read.
        shop: the prepared data.
        fusion: with scorers that know the splits.
        splits: splits whose interactions the features may know.
        origin: of the outcome.
        folder: where the outcome is kept.
        compare: a paired comparison.
        teachers: give the vectors of queries; None where nothing may be learned now.
        more: features that have learned from training queries; with them dev alone teaches.
    """
    if not shop.has_searches:
        return None
    learn = None if teachers is None else lambda: _learn(config, shop, fusion, teachers, origin, folder, compare, more)
    facts = outcome(folder, origin, learn)
    if facts is None or not facts["used"]:
        return None
    return _ranker(config, shop, fusion, splits, kept_learned(folder / "whole", origin), more)


@dataclass(frozen=True)
class FoldRankers:
    """What each fold of the queries is ordered by: what the others taught.

    Attributes:
        folder: where it is kept.
        origin: of it.
        folds: the queries of each; none where no ranker is used.
    """

    folder: Path
    origin: Origin
    folds: list[list[str]]

    @classmethod
    def kept(cls, folder: Path, origin: Origin) -> FoldRankers:
        """Reads what `query_ranker` has left."""
        facts = outcome(folder, origin, None) or {"used": False}
        return cls(folder, origin, facts["folds"] if facts["used"] else [])

    def behind(
        self, config: Config, shop: ShopData, queries: Sequence[str], fusion: Fusion, more: Sequence[Feature] = ()
    ) -> Fusion:
        """The fusion of a fold with its ranker; without one where these queries are no fold. See query_ranker."""
        number = next((n for n, fold in enumerate(self.folds) if set(fold) == set(queries)), None)
        if number is None:
            return fusion
        learned = kept_learned(self.folder / f"fold-{number}", self.origin)
        ranker = _ranker(config, shop, fusion, ("train",), learned, more)
        return fusion if ranker is None else RankedFusion(fusion, {QUERY: ranker}, config.ranking.candidates)


def _ranker(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], learned: Learned | None,
    more: Sequence[Feature],
) -> Ranker | None:  # fmt: skip
    return ranker_of(query_features(config, known_until(shop, splits), fusion, more), learned)


def _learn(
    config: Config, shop: ShopData, fusion: Fusion, teachers: Teachers, origin: Origin, folder: Path, compare: Compare,
    more: Sequence[Feature],
) -> dict[str, Any]:  # fmt: skip
    """Trains, judges by folds and keeps; gives the outcome as plain JSON values."""
    section = config.ranking
    samples = choosing_samples(shop, config.retrieval.fusion.max_requests, config.seed).get("search")
    count = 0 if samples is None or shop.choosing_split == FOLDS else len(samples.queries)
    found: dict[str, Any] = {"used": False, "queries": count}
    if samples is None or count < section.least_queries:
        found["told"] = f"search: no ranker, for fewer than {section.least_queries} queries of dev teach one"
    else:
        known = known_until(shop, ("train",))
        examples = query_examples(config, known, fusion, teachers.towers, samples, more)
        past = [] if more else _of_train(config, known, fusion, teachers)
        keys = [key_of(query, [], truth) for query, truth in zip(samples.queries, samples.truths, strict=True)]
        reached = dealt(section, examples, past, keys, config.seed, "search")
        others = f" and {len(past[0].right)} of train" if past else ""
        by = f"{count} queries, each by what others{others} teach"
        found |= judged(config, "search", METRIC, reached.before, reached.after, by, compare)
        folds = [np.flatnonzero(reached.folds == number) for number in np.unique(reached.folds)]
        found["folds"] = [[samples.queries[row] for row in fold] for fold in folds]
        if found["used"]:
            for number, learned in enumerate(reached.taught):
                keep_learned(folder / f"fold-{number}", learned, origin)
            keep_learned(folder / "whole", taught(section, [*past, examples], config.seed, "search"), origin)
    return found


def _of_train(config: Config, shop: ShopData, fusion: Fusion, teachers: Teachers) -> list[Examples]:
    """Training queries, scored by the untrained encoder: what the trained towers say of them says nothing of others.

    None where there is no such encoder's catalogue, or weights depend on the towers' vectors.
    """
    samples = train_samples(shop, _MOST_OF_TRAIN, config.seed).get("search")
    if samples is None or teachers.untrained is None or not isinstance(fusion.weights, SituationWeights):
        return []
    items, encode = teachers.untrained()
    plain = Fusion(over(items, fusion.scorers), fusion.weights, fusion.normalisation)
    towers = KnownVectors(encode(samples.queries), teachers.towers.speller)
    found = query_examples(config, shop, plain, towers, samples)
    return [found] if found.right.any() else []
