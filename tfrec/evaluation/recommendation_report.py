"""Recommendation measured whole: accuracy beside tuned baselines, what lies beyond it, and whom it serves well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfrec.config import Config
from tfrec.errors import EvaluationError
from tfrec.evaluation import slices as parts
from tfrec.evaluation.beyond_accuracy import beyond_accuracy, content_vectors
from tfrec.evaluation.collaborative_baselines import LABELS, Tuned, collaborative_baselines
from tfrec.evaluation.collaborative_models import Popularity
from tfrec.evaluation.purchases import Purchases, Recommend, purchases_before
from tfrec.evaluation.recommendation import CUT, RECALL, RecommendationMetrics, evaluate_recommendations
from tfrec.evaluation.recommendation_tables import RecommendationReport
from tfrec.evaluation.slices import Slice, make_slice
from tfrec.evaluation.table import build_report

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData
    from tfrec.data.shoppers import Shopper


def recommendation_report(
    config: Config,
    shop: ShopData,
    systems: Mapping[str, Recommend],
    split: str,
    title: str = "",
    ingredients: Mapping[str, Recommend] | None = None,
) -> RecommendationReport:
    """Measures recommenders on a split, beside the baselines of `evaluation.recommendation_baselines`.

    Args:
        config: section evaluation and the seed are read.
        shop: the prepared data, with interactions.
        systems: name -> recommender, the most important one first; it must answer newcomers (empty history), too.
        split: dev or test.
        title: heading of the first table.
        ingredients: what a system is made of, name -> recommender: measured and compared with like baselines.

    Returns:
        the report; baselines stand in the order of their Recall@20 on dev, so the strongest one is compared with.

    Raises:
        EvaluationError: the split has no shopper with a history, or item_group is no column of the catalogue.
    """
    settings = config.evaluation
    shoppers = shop.shoppers(split)
    if not shoppers:
        raise EvaluationError(f"No shopper of split {split!r} has both earlier purchases and new ones.")
    if settings.item_group is not None and settings.item_group not in shop.items.columns:
        raise EvaluationError(
            f"evaluation.item_group: the catalogue has no column {settings.item_group!r}: choose among "
            f"{', '.join(shop.items.columns)}."
        )
    names = [LABELS[name] for name in settings.recommendation_baselines]
    tuned = collaborative_baselines(shop, names, split, config.seed)
    order = sorted(tuned, key=lambda name: -np.nan_to_num(tuned[name].dev_recall))
    every: dict[str, Recommend] = {**systems, **{name: tuned[name].recommend for name in order}, **(ingredients or {})}
    order += list(ingredients or {})
    past = purchases_before(shop, split)
    truths = [shopper.truth for shopper in shoppers]
    ranked = {name: recommend(shoppers)[:, :CUT] for name, recommend in every.items()}
    metrics = {name: evaluate_recommendations(truths, rows, shop.size) for name, rows in ranked.items()}
    report = build_report(metrics, order, config.seed, title, settings.resamples, list(systems))
    counts, content = past.counts(), content_vectors(shop.item_texts)
    obvious = Popularity(counts).recommend(shoppers)
    beyond = {
        name: beyond_accuracy(truths, rows, obvious, counts, len(past.rows), content) for name, rows in ranked.items()
    }
    pair = (next(iter(systems)), order[0]) if order and systems else None
    found = _slices(config, shop, shoppers, every, ranked, metrics, past, split, pair)
    return RecommendationReport(
        report.systems, report.baselines, report.comparisons, report.title, beyond, _settings(tuned), slices=found
    )


def _slices(
    config: Config,
    shop: ShopData,
    shoppers: Sequence[Shopper],
    systems: Mapping[str, Recommend],
    ranked: Mapping[str, NDArray[np.int32]],
    metrics: Mapping[str, RecommendationMetrics],
    past: Purchases,
    split: str,
    pair: tuple[str, str] | None,
) -> list[Slice]:
    def candidates() -> Iterator[tuple[str, str, dict[str, NDArray[np.float64]]]]:
        whole = {name: found.per_user[RECALL] for name, found in metrics.items()}

        def of(inside: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
            return {name: np.where(inside, values, np.nan) for name, values in whole.items()}

        truths = [shopper.truth for shopper in shoppers]
        for label, inside in parts.activity_bands([shopper.history for shopper in shoppers]):
            yield parts.HISTORY, label, of(inside)
        newcomers = shop.newcomers(split)
        if newcomers:
            bought = [shopper.truth for shopper in newcomers]
            everything = np.ones(shop.size, bool)
            values = {
                name: parts.recall_of(bought, recommend(newcomers), everything) for name, recommend in systems.items()
            }
            yield parts.NEWCOMERS, "no history", values
        bands = {(parts.ITEMS, label): wanted for label, wanted in parts.popularity_bands(past.counts()).items()}
        column = config.evaluation.item_group
        if column is not None:
            bands |= {(column, k): w for k, w in parts.largest_groups(shop.items[column].to_list()).items()}
        for (kind, label), wanted in bands.items():
            yield kind, label, {name: parts.recall_of(truths, rows, wanted) for name, rows in ranked.items()}
        segments = shop.shopper_segments
        for label, inside in parts.largest_groups([segments.get(s.user_id, "") for s in shoppers]).items():
            yield "shopper segment", label, of(inside)

    made = (
        make_slice(kind, label, values, pair, config.seed, config.evaluation.resamples)
        for kind, label, values in candidates()
    )
    return [part for part in made if part is not None]


def _settings(tuned: Mapping[str, Tuned]) -> dict[str, dict[str, Any]]:
    return {name: baseline.settings for name, baseline in tuned.items()}
