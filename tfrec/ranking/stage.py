"""The stage of ranking: rankers for search, recommendation and personalised search, each where it gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.files import read_json
from tfrec.ranking.by_queries import FoldRankers, Teachers, query_ranker
from tfrec.ranking.by_searches import personalised_ranker
from tfrec.ranking.by_windows import history_ranker
from tfrec.ranking.confidence import FILE, confidence, kept_confidence
from tfrec.ranking.cross.stage import FILE as CROSS_FILE
from tfrec.ranking.cross.stage import cross_feature
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.kept import OUTCOME, Origin, kept_facts, origin_of
from tfrec.ranking.opinions import BOTH, HEADS, HISTORY, QUERY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.retrieval.answers import QueryVectors
from tfrec.retrieval.building import known_splits
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.fusion import Fusion

CROSS = "cross"
FORMAT = 7  # raise it when the same configuration shall be trained anew
Folds = list[tuple[list[str], Fusion]]


def ranked(
    config: Config, shop: ShopData, fusion: Fusion, splits: Sequence[str], signature: str, folder: Path,
    compare: Compare, teachers: Teachers | None = None,
) -> Fusion:  # fmt: skip
    """Puts rankers behind a fusion, where they gain.

    Args:
        config: sections ranking and retrieval and the seed are read.
        shop: the prepared data.
        fusion: with scorers that know the splits.
        splits: splits whose interactions may be known.
        signature: sha256 (hex) of everything that the towers' weights depend on.
        folder: where the outcome is kept.
        compare: a paired comparison.
        teachers: give the vectors of queries; None takes what was learned of this training, though the shop's files
            have changed since.

    Returns:
        the fusion itself where no ranker gains.
    """
    section, rankers = config.ranking, {}
    if section.enabled == "never":
        return fusion
    origin = _origin(config, shop, fusion, signature, teachers is None)
    known = known_splits(shop, splits)
    towers = None if teachers is None else teachers.towers
    more = _reading_both(config, shop, fusion, origin, folder, towers)
    by_words = query_ranker(config, shop, fusion, known, origin, folder / HEADS[QUERY], compare, teachers, more)
    if by_words is not None:
        rankers[QUERY] = by_words
    if shop.has_interactions and not shop.repeats:  # candidates are what the shopper has not taken
        of_past = history_ranker(config, shop, fusion, known, origin, folder / HEADS[HISTORY], compare)
        if of_past is not None:
            rankers[HISTORY] = of_past
    of_both = personalised_ranker(config, shop, fusion, known, origin, folder / HEADS[BOTH], compare, towers)
    if of_both is not None:
        rankers[BOTH] = of_both
    return RankedFusion(fusion, rankers, section.candidates) if rankers else fusion


def ranked_folds(config: Config, shop: ShopData, folds: Folds, signature: str, folder: Path) -> Folds:
    """Puts behind the fusion of each fold the ranker that the queries of the other folds teach.

    Args:
        config: as for `ranked`, which must have been called before.
        shop: the prepared data.
        folds: for every fold its queries, and the scorers and weights that the others choose.
        signature: see `ranked`.
        folder: see `ranked`.
    """
    if not folds or config.ranking.enabled == "never":
        return folds
    origin = _origin(config, shop, folds[0][1], signature, kept=False)
    rankers = FoldRankers.kept(folder / HEADS[QUERY], origin)
    more = _reading_both(config, shop, folds[0][1], origin, folder, None)
    return [(queries, rankers.behind(config, shop, queries, fusion, more)) for queries, fusion in folds]


def sure(
    config: Config, shop: ShopData, fusion: Fusion, signature: str, folder: Path,
    folds: Callable[[], Folds] | None = None, towers: QueryVectors | None = None,
) -> Fusion:  # fmt: skip
    """Teaches a fusion how sure its answers to searches are, or reads that back.

    Args:
        config: sections ranking, retrieval and evaluation and the seed are read.
        shop: the prepared data.
        fusion: as `ranked` gives it.
        signature: see `ranked`.
        folder: see `ranked`.
        folds: gives for every fold of the judged queries what the others choose and teach; None takes what was learned
            of this training, though the shop's files have changed since.
        towers: give the vectors of queries, where there are folds.
    """
    gain = config.evaluation.relevant_gain
    origin = origin_of(shop, f"{FORMAT}{signature}{config.hash_of('ranking', 'retrieval')}{gain}", folds is None)
    if folds is None or towers is None:
        fusion.confidence = kept_confidence(folder / "sure", origin)
    elif shop.has_searches:
        several = kept_facts(folder / "sure" / FILE, origin) is None
        fusion.confidence = confidence(config, shop, folds() if several else [], towers, origin, folder / "sure")
    return fusion


def told(folder: Path) -> list[str]:
    """A sentence on what was chosen for each task; none where nothing was asked."""
    files = [
        folder / CROSS / CROSS_FILE,
        folder / "sure" / FILE,
        *(folder / name / OUTCOME for name in HEADS.values()),
    ]
    return [read_json(file)["told"] for file in files if file.is_file()]


def _reading_both(
    config: Config, shop: ShopData, fusion: Fusion, origin: Origin, folder: Path, towers: QueryVectors | None
) -> list[Feature]:
    """The cross-encoder, if there is one."""
    found = cross_feature(config, shop, fusion, origin, folder / CROSS, towers)
    return [] if found is None else [found]


def _origin(config: Config, shop: ShopData, fusion: Fusion, signature: str, kept: bool) -> Origin:
    about = f"{FORMAT}{signature}{config.hash_of('ranking', 'retrieval')}{fusion.labels}"
    return origin_of(shop, about, kept)
