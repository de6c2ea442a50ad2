"""The recommenders that a trained model has to beat, each with its settings tuned on dev by a small grid."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.evaluation.collaborative_models import Popularity, ease, item_knn
from tfrec.evaluation.factor_models import Als, Bpr
from tfrec.evaluation.purchases import Purchases, Recommend, purchases_before
from tfrec.evaluation.recommendation import RECALL, evaluate_recommendations

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData

POPULARITY, ITEM_KNN, EASE, ALS, BPR = "popularity", "item-kNN", "EASE", "ALS", "BPR"
LABELS = {"popularity": POPULARITY, "item_knn": ITEM_KNN, "ease": EASE, "als": ALS, "bpr": BPR}
"""Name in the configuration -> name in tables."""
MOST_EASE_ITEMS = 20_000  # the inverse takes N^3 steps and 8 N^2 bytes: 3 GiB and minutes at this size
MOST_PAIRS = 500_000_000  # of item-kNN: the sum over shoppers of the squared number of items
_ONE_EASE = 8_000  # above it only one λ is tried
_MAX_SHOPPERS = 2000
_log = logging.getLogger(__name__)
Fit = Callable[..., Any]


@dataclass(frozen=True)
class Grid:
    """A recommender and the settings to choose among.

    Attributes:
        fit: (purchases, **settings) -> a model with `recommend`.
        fitted: settings that need a new fit -> values; the first values are the ones taken without dev shoppers.
        decays: weights of the history's recency to try on each fitted item-item model.
    """

    fit: Fit
    fitted: Mapping[str, Sequence[Any]]
    decays: Sequence[float] = ()


@dataclass(frozen=True)
class Tuned:
    """A baseline as it is reported.

    Attributes:
        recommend: see `Recommend`.
        settings: what was chosen.
        dev_recall: Recall@20 on dev with them; NaN when there was nothing to choose by.
    """

    recommend: Recommend
    settings: dict[str, Any]
    dev_recall: float


def grids(seed: int, size: int) -> dict[str, Grid]:
    """Every baseline's grid, by the name in tables.

    Args:
        seed: of the models that start at random.
        size: number of items N.
    """
    regularisation = [300.0, 100.0, 1000.0] if size <= _ONE_EASE else [300.0]
    return {
        POPULARITY: Grid(Popularity.fit, {"days": [None, 90.0, 30.0, 14.0]}),
        ITEM_KNN: Grid(item_knn, {"neighbours": [50, 20, 200], "shrinkage": [10.0]}, (1.0, 0.98, 0.9)),
        EASE: Grid(ease, {"regularisation": regularisation}, (1.0, 0.98, 0.9)),
        ALS: Grid(
            _seeded(Als.fit, seed),
            {"factors": [64, 128], "regularisation": [10.0, 30.0, 3.0], "alpha": [3.0, 10.0, 1.0]},
        ),
        BPR: Grid(_seeded(Bpr.fit, seed), {"regularisation": [0.03, 0.01]}),
    }


def collaborative_baselines(shop: ShopData, names: Sequence[str], split: str, seed: int) -> dict[str, Tuned]:
    """Tunes baselines on dev, then fits them on everything before the split.

    Dev is predicted from train. When dev itself is the split, its shoppers chose the settings that they are reported
    with, as they chose the trained model's weights.

    Args:
        shop: the prepared data, with interactions.
        names: keys of `grids`; EASE above MOST_EASE_ITEMS sold items and item-kNN above MOST_PAIRS are left out, with
            a line in the log.
        split: dev or test.
        seed: of models that start at random, and of the sample of dev shoppers that choose (at most 2,000).

    Returns:
        name -> tuned baseline, in the order of names.

    Raises:
        EvaluationError: als or bpr are asked for and `implicit` is not installed.
    """
    dev = shop.shoppers("dev")
    if len(dev) > _MAX_SHOPPERS:
        chosen = np.random.default_rng(seed).choice(len(dev), _MAX_SHOPPERS, replace=False)
        dev = [dev[at] for at in np.sort(chosen)]
    truths = [shopper.truth for shopper in dev]
    past = purchases_before(shop, "dev") if dev else None
    final = past if split == "dev" and past is not None else purchases_before(shop, split)
    found: dict[str, Tuned] = {}
    for name in names:
        why = _too_large(name, final)
        if why:
            _log.warning("%s is left out: %s.", name, why)
            continue
        grid = grids(seed, shop.size)[name]
        best: tuple[float, dict[str, Any], Any] | None = None
        for settings in _combinations(grid.fitted) if past is not None else ():
            fitted = grid.fit(past, **settings)
            for more, model in _variants(fitted, grid.decays):
                ranked = model.recommend(dev)
                recall = evaluate_recommendations(truths, ranked, shop.size).means[RECALL]
                if best is None or recall > best[0]:
                    best = recall, settings | more, model
        if best is None:
            best = float("nan"), next(iter(_combinations(grid.fitted))), None
        recall, settings, model = best
        if model is None or final is not past:
            model = grid.fit(final, **settings)
        found[name] = Tuned(model.recommend, settings, recall)
    return found


def _too_large(name: str, purchases: Purchases) -> str:
    """Why a baseline would take too long here; "" when it would not."""
    taken = int((purchases.counts() > 0).sum())
    if name == EASE and taken > MOST_EASE_ITEMS:
        return f"it inverts a matrix of {taken:,} x {taken:,} items, more than {MOST_EASE_ITEMS:,}"
    pairs = int((np.diff(purchases.matrix.indptr).astype(np.int64) ** 2).sum())
    if name == ITEM_KNN and pairs > MOST_PAIRS:
        return f"it counts {pairs:,} pairs of items, more than {MOST_PAIRS:,}"
    return ""


def _combinations(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(values, row, strict=True)) for row in product(*values.values())]


def _variants(model: Any, decays: Sequence[float]) -> list[tuple[dict[str, Any], Any]]:
    return [({"decay": decay}, replace(model, decay=decay)) for decay in decays] or [({}, model)]


def _seeded(fit: Fit, seed: int) -> Fit:
    def run(purchases: Purchases, **settings: Any) -> Any:
        return fit(purchases, seed, **settings)

    return run
