"""The full evaluation: whole catalogue, every baseline on the same queries, paired comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.config import Config
from tfrec.data.personalised.table import TASK as PERSONALISED
from tfrec.data.shop import ShopData
from tfrec.data.shoppers import Shopper
from tfrec.data.split import FOLDS
from tfrec.errors import EvaluationError
from tfrec.evaluation.baselines import Bm25, brand_and_title, rank_by_popularity, rank_by_words
from tfrec.evaluation.expected import expected
from tfrec.evaluation.metrics import evaluate_rankings
from tfrec.evaluation.per_query import ranking_frame, search_slices
from tfrec.evaluation.purchases import Recommend
from tfrec.evaluation.recommendation import CUT
from tfrec.evaluation.recommendation_report import recommendation_report
from tfrec.evaluation.recommendation_tables import RecommendationReport
from tfrec.evaluation.retrieval import to_rankings, top_k
from tfrec.evaluation.significance import compare
from tfrec.evaluation.table import Report, build_report
from tfrec.models.two_tower import TwoTower
from tfrec.ranking.opinions import HISTORY, QUERY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.retrieval.answers import KnownVectors, QueryVectors, rank_requests
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.lexical_tuning.stage import TunedLexical
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.retrieval.weights import SituationWeights

TFREC, BM25, BM25_TUNED, ZERO_SHOT, POPULARITY = "tfrec", "BM25", "BM25 tuned", "zero-shot", "popularity"
UNTRAINED, WITHOUT_RANKER, LARGE = "untrained sum", "without ranker", "large query encoder"
ZeroShot = Callable[[], tuple[Any, Callable[[list[str]], Any]]]
Folds = Sequence[tuple[list[str], Fusion]]


def alone(label: str) -> str:
    """How a report names one scorer of several by itself."""
    return f"{label} alone"


def choose_splits(shop: ShopData, wanted: str | None) -> dict[str, str]:
    """The split that each task is reported on: the one asked for, else test where there is one, else what chooses.

    That is dev, or folds: all labelled queries of a shop that has few.

    Returns:
        task ("search", "recommendation", "personalised") -> split, for the tasks that the shop can measure.

    Raises:
        EvaluationError: there is nothing to measure.
    """
    splits = [wanted] if wanted else list(dict.fromkeys(["test", shop.choosing_split, "dev"]))
    chosen: dict[str, str] = {}
    for split in splits:
        if shop.has_searches and shop.judgments(split):
            chosen.setdefault("search", split)
        if shop.has_interactions and shop.shoppers(split):
            chosen.setdefault("recommendation", split)
        if shop.has_personalised and shop.personalised_searches(split):
            chosen.setdefault(PERSONALISED, split)
    if not chosen:
        if wanted == "dev" and shop.choosing_split == FOLDS:
            raise EvaluationError(
                f"There is no dev split: all {len(shop.judgments(FOLDS))} labelled queries choose and are measured by "
                "folds (`--split folds`), because they are fewer than data.split.few_queries; 0 there holds dev out."
            )
        raise EvaluationError(
            f"There is nothing to evaluate in split {' or '.join(splits)}: give data.searches with some judged queries "
            "and set data.split.dev_share, or data.interactions and data.split.dev_days, or a split column."
        )
    return chosen


def evaluate_search(
    config: Config,
    shop: ShopData,
    model: QueryVectors,
    catalogue: Any,
    zero_shot: ZeroShot,
    lexical: Callable[[], TunedLexical],
    split: str,
    fusion: Fusion | None = None,
    folds: Folds = (),
) -> Report:
    """Retrieves for every judged query of a split from the whole catalogue.

    Where the split chose how scorers count, each of its queries is ranked by what the other folds chose, and the report
    tells what to expect on other queries.

    Args:
        config: section evaluation is read.
        shop: the prepared data.
        model: the trained model, or what ranks in its place where these queries trained it.
        catalogue: its item vectors float32 [N, D].
        zero_shot: gives the untrained encoder's item vectors float32 [N, H] and a function from queries to
            float32 [Q, H]; called only when that baseline is wanted.
        lexical: gives the tuned lexical index, which no query of the split has tuned; called as zero_shot is, where
            there are no folds.
        split: "dev", "test" or "folds".
        fusion: several scorers that rank together; each that can count stands in the report alone, too. None ranks by
            the towers.
        folds: for every fold of the split's queries what the others chose in the place of fusion; empty where the split
            chose nothing.

    Returns:
        the model and its baselines on the same queries.
    """
    judgments = shop.judgments(split)
    queries = list(judgments)
    depth = min(config.evaluation.depth, shop.size)
    wanted = config.evaluation.baselines
    vectors = model.query_vectors(queries)
    answers = {TFREC: top_k(vectors, catalogue, depth)}
    parts = list(folds) or ([] if fusion is None else [(queries, fusion)])
    ranked = _ranked(parts, queries, vectors, model.speller, depth, shop.size)
    answers |= ranked
    if isinstance(model, TwoTower) and (teacher := model.encoder.teacher) is not model.encoder:
        large = model.query_vectors(queries, encoder=teacher)
        answers[LARGE] = (
            _ranked(parts, queries, large, model.speller, depth, shop.size)[TFREC]
            if parts
            else top_k(large, catalogue, depth)
        )
    if "bm25" in wanted:
        answers[BM25] = Bm25.fit(brand_and_title(shop.items)).rank(queries, depth)
    if "bm25_tuned" in wanted:
        words = [(some, _alone(one, "lexical")) for some, one in folds if "lexical" in one.labels]
        if words:
            answers[BM25_TUNED] = _ranked(words, queries, vectors, None, depth, shop.size)[TFREC]
        else:
            answers[BM25_TUNED] = rank_by_words(lexical().scores, queries, depth)
    if "zero_shot" in wanted:
        items, encode = zero_shot()
        plain = encode(queries)
        answers[ZERO_SHOT] = top_k(plain, items, depth)
        sums = [(some, _plain_sum(items, one)) for some, one in parts if "lexical" in one.labels]
        if sums:
            answers |= {UNTRAINED: _ranked(sums, queries, plain, model.speller, depth, shop.size)[TFREC]}
    if "popularity" in wanted:
        answers[POPULARITY] = rank_by_popularity(shop.popularity, len(queries), depth)
    rankings = {name: to_rankings(queries, rows, scores, shop.item_ids) for name, (rows, scores) in answers.items()}
    systems = {
        name: evaluate_rankings(judgments, found, config.evaluation.relevant_gain) for name, found in rankings.items()
    }
    report = build_report(
        systems,
        [name for name in systems if name not in (TFREC, LARGE, *ranked)] + [n for n in ranked if n != TFREC],
        config.seed,
        _title("Search", split, fusion, bool(folds), not isinstance(model, TwoTower)),
        config.evaluation.resamples,
        [TFREC] if ranked else None,
    )
    report = replace(
        report, rankings=ranking_frame(judgments, rankings, systems, shop.items),
        slices=search_slices(config, shop, systems, (TFREC, report.baselines[0]) if report.baselines else None),
        student=_kept(config, systems, report.main_metric) if LARGE in systems else "",
    )  # fmt: skip
    if split != FOLDS and not folds:
        return report
    values = systems[TFREC].samples[report.main_metric]
    return replace(report, expected=expected(values, config.seed, report.main_metric, config.evaluation.resamples))


def _kept(config: Config, systems: Mapping[str, Any], metric: str) -> str:
    """What the query student costs, in a sentence."""
    own, large = systems[TFREC], systems[LARGE]
    found = compare(own.samples[metric], large.samples[metric], config.seed, metric, config.evaluation.resamples)
    kept = own.means[metric] / max(large.means[metric], 1e-9)
    return (
        f"The query student keeps {kept:.1%} of the {metric} that the large encoder reaches on the same queries "
        f"({own.means[metric]:.3f} of {large.means[metric]:.3f}): {found.sentence()}."
    )


def _ranked(
    parts: Folds, queries: Sequence[str], vectors: NDArray[np.float32], speller: Any, depth: int, size: int
) -> dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]]:
    """Rankings of every query by the scorers of its part, together and each alone: system -> (rows, scores)."""
    row_of = {query: row for row, query in enumerate(queries)}
    found: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}
    for some, fusion in parts:
        rows = np.array([row_of[query] for query in some], np.int64)
        known = KnownVectors(vectors[rows], speller)
        counting: dict[str, Any] = {TFREC: _of_words(fusion)}
        if isinstance(fusion, RankedFusion) and fusion.ranker(QUERY) is not None:
            counting[WITHOUT_RANKER] = _of_words(fusion.plain)
        counting |= {alone(scorer.label): scorer for scorer in _counting(fusion, 1)}
        for name, scorer in counting.items():
            empty = np.full([len(queries), depth], -1, np.int32), np.full([len(queries), depth], -np.inf, np.float32)
            indices, scores = found.setdefault(name, empty)
            indices[rows], scores[rows] = rank_requests(known, scorer, some, None, depth, size)
    return found


def _alone(fusion: Fusion, label: str) -> Fusion:
    """One scorer of a fusion, as a fusion."""
    scorer = next(scorer for scorer in fusion.scorers if scorer.label == label)
    return Fusion([scorer], SituationWeights(np.ones([4, 1])), fusion.normalisation)


def _plain_sum(items: Any, fusion: Fusion) -> Fusion:
    """The untrained encoder beside the lexical scorer of a fusion, with equal weights."""
    lexical = next(scorer for scorer in fusion.scorers if scorer.label == "lexical")
    return Fusion([DenseScorer(items), lexical], SituationWeights(np.full([4, 2], 0.5)), fusion.normalisation)


def evaluate_recommendation(
    config: Config, shop: ShopData, model: TwoTower, catalogue: Any, split: str, fusion: Fusion | None = None
) -> RecommendationReport:
    """Ranks the whole catalogue for every shopper of a split, beside tuned baselines.

    Without the history, unless the shop's purchases repeat.

    Args:
        config: section evaluation and the seed are read.
        shop: the prepared data.
        model: the trained model, with `model.catalogue` up to date.
        catalogue: its item vectors float32 [N, D].
        split: "dev" or "test".
        fusion: several scorers that rank together; each that can count stands in the report alone, too. None ranks by
            the towers.
    """

    def recommend(shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
        histories = [shopper.history for shopper in shoppers]
        excluded = [shopper.excluded for shopper in shoppers]
        return top_k(model.query_vectors([""] * len(shoppers), histories), catalogue, CUT, exclude=excluded)[0]

    def by(scorer: Callable[[Request], Any]) -> Recommend:
        def ranked(shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
            histories, nothing = [shopper.history for shopper in shoppers], [""] * len(shoppers)
            out = not shop.repeats
            return rank_requests(model, scorer, nothing, histories, CUT, shop.size, exclude_history=out)[0]

        return ranked

    title = _title(
        "Recommendation, of what was taken before, too," if shop.repeats else "Recommendation", split, fusion
    )
    if fusion is None:
        return recommendation_report(config, shop, {TFREC: recommend}, split, title)
    # Words alone rank nothing here, and would only lengthen the table.
    parts = {alone(scorer.label): by(scorer) for scorer in _counting(fusion, 2) if scorer.label != "lexical"}
    if isinstance(fusion, RankedFusion) and fusion.ranker(HISTORY) is not None:
        parts = {WITHOUT_RANKER: by(_of_history(fusion.plain)), **parts}
    return recommendation_report(config, shop, {TFREC: by(_of_history(fusion))}, split, title, parts)


def _counting(fusion: Fusion, situation: int) -> list[Scorer]:
    """The scorers without those that say the same of every request and count nothing in this situation."""
    used = fusion.weights.used([situation])
    return [scorer for scorer, counts in zip(fusion.scorers, used, strict=True) if counts or not scorer.constant]


def _of_words(fusion: Fusion) -> Callable[[Request], Any]:
    return lambda request: fusion(request, [0, 1])


def _of_history(fusion: Fusion) -> Callable[[Request], Any]:
    return lambda request: fusion(request, [0, 2])


def _title(task: str, split: str, fusion: Fusion | None, by_others: bool = False, before: bool = False) -> str:
    if split == FOLDS:
        how = ", each ranked by what the others chose" if by_others else ""
        how += ", by the encoder before they trained it" if before else ""
        return f"{task}, expected on other queries (all labelled queries{how})"
    chosen = "the checkpoint" if fusion is None or by_others else "the checkpoint and the weights of the scorers"
    weights = "; weights of the scorers are those that other queries chose" if by_others else ""
    note = f" (dev also chose {chosen}{weights})" if split == "dev" else ""
    return f"{task} on {split}{note}"
