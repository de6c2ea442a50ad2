"""The features that a configuration names, made from what is known of a shop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.ranking.features.columns import columns_of
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.features.links import MOST, LinksFeature
from tfrec.ranking.features.sales import ages_of, sales_of
from tfrec.ranking.features.scores import Scores
from tfrec.ranking.features.shopper import ShopperFeature
from tfrec.ranking.features.votes import votes_of
from tfrec.ranking.features.words import words_of
from tfrec.ranking.opinions import QUERY, opinions_of
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.item_weights import ItemWeights, ease, item_knn
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.recent import basket_matrix, purchase_matrix
from tfrec.retrieval.relations import Relations

LARGEST_READ = 300_000  # items whose first words are kept: a hundred megabytes, and a minute to read them
LARGEST_EASE = 6000  # items; each window inverts a matrix of them anew, in a minute or more beyond


def build_features(config: Config, shop: ShopData, labels: Sequence[str]) -> list[Feature]:
    """Makes the features of `ranking.features`.

    Args:
        config: sections ranking and retrieval are read.
        shop: of which the purchases of train are known (see tfrec.ranking.windows).
        labels: labels of the scorers whose opinions come with the candidates.
    """
    wanted = config.ranking.features
    sales, ages = sales_of(shop), ages_of(shop)
    made = {
        "scores": lambda: Scores(labels),
        "links": lambda: _links(config, shop),
        "relations": lambda: _relations(shop),
        "sales": lambda: sales,
        "ages": lambda: ages,
        "columns": lambda: columns_of(shop),
        "shopper": lambda: ShopperFeature([sales, ages]),
    }
    features = [make() for name, make in made.items() if name in wanted]
    return [feature for feature in features if feature is not None]


def query_features(config: Config, shop: ShopData, fusion: Fusion, more: Sequence[Feature] = ()) -> list[Feature]:
    """Makes those features of `ranking.features` that say something of typed words and the items alone.

    Args:
        config: section ranking is read.
        shop: of which the purchases of train are known.
        fusion: whose scorers' opinions come with the candidates.
        more: features that were made before.
    """
    labels = [fusion.labels[number] for number in opinions_of(fusion, QUERY)]
    lexical = next((scorer for scorer in fusion.scorers if isinstance(scorer, LexicalScorer)), None)
    made = {
        "scores": lambda: Scores(labels),
        "words": lambda: None if lexical is None or shop.size > LARGEST_READ else words_of(shop, lexical),
        "votes": lambda: votes_of(shop),
        "sales": lambda: sales_of(shop) if shop.has_interactions else None,
        "ages": lambda: ages_of(shop) if shop.has_interactions else None,
        "columns": lambda: columns_of(shop),
    }
    features = [make() for name, make in made.items() if name in config.ranking.features]
    return [*(feature for feature in features if feature is not None), *more]


def _relations(shop: ShopData) -> LinksFeature | None:
    """How the history's items are related to each candidate, where the shop says so."""
    if not shop.has_relations:
        return None
    relations = Relations(shop.relations, shop.size)
    kinds = {name: relations.matrix(name) for name in relations.names}
    weights = {
        name: ItemWeights(shop.size, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)
        for name, matrix in kinds.items()
        if matrix.nnz
    }
    return LinksFeature(weights, "relations") if weights else None


def _links(config: Config, shop: ShopData) -> LinksFeature | None:
    """Who took what, and what was taken on one day."""
    every = purchase_matrix(shop)
    taken = len(np.unique(every.indices))
    if not taken:
        return None
    by_ease = taken <= min(LARGEST_EASE, config.retrieval.collaborative.largest_ease)
    together = ease(every, neighbours=MOST) if by_ease else item_knn(every, neighbours=MOST)
    return LinksFeature(
        {"taken together": together, "taken on one day": item_knn(basket_matrix(shop), neighbours=MOST)}
    )
