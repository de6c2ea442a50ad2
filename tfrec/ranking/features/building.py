"""The features that a configuration names, made from what is known of a shop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.ranking.features.columns import columns_of
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.features.sales import ages_of, sales_of
from tfrec.ranking.features.scores import Scores
from tfrec.ranking.features.shopper import ShopperFeature
from tfrec.retrieval.collaborative import CollaborativeScorer
from tfrec.retrieval.item_weights import ease, item_knn
from tfrec.retrieval.recent import purchase_matrix
from tfrec.retrieval.scorer import Scorer

_RECENT_DAYS, _RECENT_ITEMS = 30.0, 20.0  # half-lives of purchases and of a history


def build_features(config: Config, shop: ShopData, labels: Sequence[str]) -> list[Feature]:
    """Makes the features of `ranking.features`.

    Args:
        config: section ranking is read.
        shop: of which the purchases of train are known (see tfrec.ranking.windows).
        labels: labels of the scorers whose opinions come with the candidates.
    """
    wanted = config.ranking.features
    sales, ages = sales_of(shop), ages_of(shop)
    made = {
        "scores": lambda: Scores(labels, _together(config, shop)),
        "sales": lambda: sales,
        "ages": lambda: ages,
        "columns": lambda: columns_of(shop),
        "shopper": lambda: ShopperFeature([sales, ages]),
    }
    features = [make() for name, make in made.items() if name in wanted]
    return [feature for feature in features if feature is not None]


def _together(config: Config, shop: ShopData) -> list[Scorer]:
    """What was taken together, in all and lately; of what is lately, the latest items of the history say most."""
    every, recent = (purchase_matrix(shop, ("train",), days) for days in (None, _RECENT_DAYS))
    taken = len(np.unique(every.indices))
    if not taken:
        return []
    several = [
        ("taken together", item_knn(every), None),
        ("taken together lately", item_knn(recent), _RECENT_ITEMS),
    ]
    if taken <= config.retrieval.collaborative.largest_ease:
        several.append(("ease", ease(every), None))
    return [_labelled(CollaborativeScorer(weights, half_life), label) for label, weights, half_life in several]


def _labelled(scorer: Scorer, label: str) -> Scorer:
    scorer.label = label
    return scorer
