"""The features that a configuration names, made from what is known of a shop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import numpy as np

from tfrec.config import Config
from tfrec.config.ranking import Group
from tfrec.data.shop import ShopData
from tfrec.ranking.features.columns import columns_of
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.features.links import MOST, LinksFeature
from tfrec.ranking.features.sales import ages_of, sales_of
from tfrec.ranking.features.scores import Scores
from tfrec.ranking.features.shopper import ShopperFeature
from tfrec.ranking.features.tastes import tastes_of
from tfrec.ranking.features.votes import votes_of
from tfrec.ranking.features.words import words_of
from tfrec.ranking.opinions import BOTH, HISTORY, QUERY, opinions_of
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.item_weights import ease, item_knn
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.recent import basket_matrix, purchase_matrix
from tfrec.retrieval.related import related_weights
from tfrec.retrieval.relations import Relations

Maker = Callable[[], Feature | None]
LARGEST_READ = 300_000  # items whose first words are kept: a hundred megabytes, and a minute to read them
LARGEST_EASE = 6000  # items; each window inverts a matrix of them anew, in a minute or more beyond
# What says nothing of requests of a situation, or was not tried for them.
_SILENT = {QUERY: ("tastes", "links", "relations", "shopper"), HISTORY: ("words", "votes", "tastes"), BOTH: ()}


def build_features(config: Config, shop: ShopData, labels: Sequence[str]) -> list[Feature]:
    """Makes those features of `ranking.features` that say something of a history and the items.

    Args:
        config: sections ranking and retrieval are read.
        shop: of which the purchases of train are known (see tfrec.ranking.windows).
        labels: labels of the scorers whose opinions come with the candidates.
    """
    return _made(config, HISTORY, {"scores": lambda: Scores(labels), **_of_shop(config, shop)})


def query_features(config: Config, shop: ShopData, fusion: Fusion, more: Sequence[Feature] = ()) -> list[Feature]:
    """Makes those features of `ranking.features` that say something of typed words and the items alone.

    Args:
        config: section ranking is read.
        shop: of which the purchases of train are known.
        fusion: whose scorers' opinions come with the candidates.
        more: features that were made before.
    """
    return [*_made(config, QUERY, {**_of_fusion(shop, fusion, QUERY), **_of_shop(config, shop)}), *more]


def personalised_features(config: Config, shop: ShopData, fusion: Fusion) -> list[Feature]:
    """Makes the features of `ranking.features` for words and a history together: all there are.

    Args:
        config: sections ranking and retrieval are read.
        shop: of which the purchases of train are known.
        fusion: whose scorers' opinions come with the candidates.
    """
    return _made(config, BOTH, {**_of_fusion(shop, fusion, BOTH), **_of_shop(config, shop)})


def _made(config: Config, situation: int, makers: Mapping[str, Maker]) -> list[Feature]:
    wanted = set(config.ranking.features) - set(_SILENT[situation])
    features = [makers[name]() for name in get_args(Group) if name in wanted]
    return [feature for feature in features if feature is not None]


def _of_fusion(shop: ShopData, fusion: Fusion, situation: int) -> dict[str, Maker]:
    """Features that need scorers: what these say, and the words that the lexical one knows."""
    labels = [fusion.labels[number] for number in opinions_of(fusion, situation)]
    lexical = next((scorer for scorer in fusion.scorers if isinstance(scorer, LexicalScorer)), None)
    return {
        "scores": lambda: Scores(labels),
        "words": lambda: None if lexical is None or shop.size > LARGEST_READ else words_of(shop, lexical),
    }


def _of_shop(config: Config, shop: ShopData) -> dict[str, Maker]:
    """Features that need the catalogue and what was bought."""
    bought = shop.has_interactions
    sales = functools.cache(lambda: sales_of(shop) if bought else None)  # the shopper's are means of the same tables
    ages = functools.cache(lambda: ages_of(shop) if bought else None)
    return {
        "votes": lambda: votes_of(shop),
        "tastes": lambda: tastes_of(shop),
        "links": lambda: _links(config, shop) if bought else None,
        "relations": lambda: _relations(shop),
        "sales": sales,
        "ages": ages,
        "columns": lambda: columns_of(shop),
        "shopper": lambda: ShopperFeature([some for some in (sales(), ages()) if some is not None]),
    }


def _relations(shop: ShopData) -> LinksFeature | None:
    """How the history's items are related to each candidate, where the shop says so."""
    if not shop.has_relations:
        return None
    relations = Relations(shop.relations, shop.size)
    every = {name: related_weights(relations, name) for name in relations.names}
    weights = {name: some for name, some in every.items() if some is not None}
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
