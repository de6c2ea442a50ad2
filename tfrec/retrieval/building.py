"""The scorers that a configuration names, made from a prepared shop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.config.retrieval import COLUMN, RELATION
from tfrec.data.shop import ShopData
from tfrec.data.split import FOLDS
from tfrec.errors import ConfigError
from tfrec.plugins import SCORERS, plugin
from tfrec.retrieval import item_weights, prior
from tfrec.retrieval.collaborative import CollaborativeScorer
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.discount import discount_bestsellers
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.lexical_tuning.fields import column_texts
from tfrec.retrieval.lexical_tuning.stage import kept_lexical
from tfrec.retrieval.prior import PriorScorer
from tfrec.retrieval.recent import purchase_matrix, sales
from tfrec.retrieval.related import RelatedScorer, related_scorer
from tfrec.retrieval.relations import Relations
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.two_level import TwoLevelScorer


def build_scorers(
    config: Config,
    shop: ShopData,
    catalogue: Any,
    splits: Sequence[str] = ("train",),
    folder: Path | None = None,
) -> list[Scorer]:
    """Makes the scorers of `retrieval.scorers`, in their order.

    Scorers whose data the shop does not have are left out: collaborative and recency need interactions, popularity
    needs interactions or judged queries, relations need data.relations.

    Args:
        config: the whole configuration.
        shop: the prepared data.
        catalogue: the items' unit vectors float32 [N, D], an array or a tf.Variable that is kept anyway.
        splits: splits whose searches and interactions may be known. For an honest evaluation only "train".
        folder: where what is costly to make is kept and read back from; None keeps nothing.

    Returns:
        the scorers; their `label` is the name in the configuration.

    Raises:
        ConfigError: a column is not in the catalogue or holds no number, no row of data.relations is of a kind, there
            is no stemmer for the language, or the package implicit is missing for als.
    """
    makers: dict[str, Callable[[], Scorer | None]] = {
        "dense": lambda: dense_scorer(config, catalogue),
        "lexical": lambda: lexical_scorer(config, shop, splits, folder),
        "collaborative": lambda: collaborative_scorer(config, shop, splits),
        "popularity": lambda: _popularity(config, shop, splits),
        "recency": lambda: _recency(shop, splits),
    }
    made = []
    for name in config.retrieval.scorers:
        if name in makers:
            scorer = makers[name]()
        elif name.startswith(COLUMN):
            scorer = _column(shop, name)
        elif name.startswith(RELATION):
            scorer = _related(config, shop, name)
        else:
            scorer = _of_another_package(name, config, shop, catalogue, splits)
        if scorer is not None:
            made.append(scorer)
    return made


def _of_another_package(name: str, config: Config, shop: ShopData, catalogue: Any, splits: Sequence[str]) -> Any:
    """What an entry point of tfrec.scorers makes: (config, shop, catalogue, splits) -> Scorer or None."""
    make = plugin(SCORERS, name)
    if make is None:
        raise ConfigError(f"retrieval.scorers: no installed package brings the scorer {name!r}.")
    scorer = make(config, shop, catalogue, splits)
    if scorer is not None and scorer.label != name:
        raise ConfigError(
            f"retrieval.scorers: the scorer {name!r} calls itself {scorer.label!r}; its label must be {name!r}."
        )
    return scorer


def known_splits(shop: ShopData, splits: Sequence[str]) -> tuple[str, ...]:
    """Of splits that may be known, those that scorers are made from: purchases grow old, labelled queries do not.

    So scorers of a shop without interactions are those of train wherever they are used, and what was measured of them
    holds in an export and after an update of its index. The few labelled queries of a shop without a dev split choose,
    so they are always known; what is told of these themselves is ranked by what the others chose.
    """
    known = splits if shop.has_interactions else ("train",)
    return tuple(dict.fromkeys([*known, *([FOLDS] if shop.choosing_split == FOLDS else [])]))


def lexical_scorer(
    config: Config, shop: ShopData, splits: Sequence[str] = ("train",), folder: Path | None = None
) -> LexicalScorer:
    """BM25F over the texts of the catalogue, tuned by the labelled queries of the splits; see `build_scorers`."""
    return LexicalScorer(kept_lexical(config, shop, splits, folder).index)


def collaborative_scorer(
    config: Config, shop: ShopData, splits: Sequence[str] = ("train",)
) -> CollaborativeScorer | None:
    """Item-item weights of `retrieval.collaborative.model`; None for a shop without interactions in the splits."""
    section = config.retrieval.collaborative
    purchases = purchase_matrix(shop, splits, section.purchase_half_life_days)
    taken = len(np.unique(purchases.indices))
    if not taken:
        return None
    model = section.model
    if model == "auto":
        model = "ease" if taken <= section.largest_ease else "item_knn"
    if model == "ease":
        weights = item_weights.ease(purchases, section.regularisation, section.neighbours)
    elif model == "item_knn":
        weights = item_weights.item_knn(purchases, section.shrinkage, section.neighbours)
    else:
        try:
            weights = item_weights.als(purchases, config.seed, section.factors, neighbours=section.neighbours)
        except ImportError:
            raise ConfigError(
                "retrieval.collaborative.model als needs the package implicit: pip install 'implicit>=0.7.2', or "
                "choose ease or item_knn."
            ) from None
    sold = sales(shop, splits, config.retrieval.popularity_half_life_days)
    return CollaborativeScorer(discount_bestsellers(weights, sold, section.popularity_discount), section.half_life)


def dense_scorer(config: Config, catalogue: Any) -> DenseScorer:
    """What `retrieval.dense` says, over unit vectors float32 [N, D]."""
    section = config.retrieval.dense
    if section.probes is not None:
        return TwoLevelScorer(
            catalogue, section.probes, section.rescore, seed=config.seed, description="Grouping items"
        )
    return DenseScorer(catalogue, section.precision, section.rescore, section.block)


def _popularity(config: Config, shop: ShopData, splits: Sequence[str]) -> PriorScorer | None:
    if not (shop.has_interactions or shop.popularity.any()):
        return None
    sold = sales(shop, splits, config.retrieval.popularity_half_life_days)
    # Counts hold no typing errors, and where most items never sell the best-sellers are many deviations from the mean.
    return PriorScorer("popularity", prior.popularity(sold), np.inf)


def _recency(shop: ShopData, splits: Sequence[str]) -> PriorScorer | None:
    if not shop.has_interactions:
        return None
    rows = shop.interactions.filter(pl.col("split").is_in(splits))
    return PriorScorer("recency", prior.recency(rows["item"].to_numpy(), rows["timestamp"].to_numpy(), shop.size))


def _column(shop: ShopData, name: str) -> PriorScorer:
    values = prior.numeric_column(column_texts(shop, name.removeprefix(COLUMN), "retrieval.scorers"))
    if not np.isfinite(values).any():
        raise ConfigError(f"retrieval.scorers: {name} cannot score, for no item has a number in that column.")
    return PriorScorer(name, values)


def _related(config: Config, shop: ShopData, name: str) -> RelatedScorer | None:
    if not shop.has_relations:
        return None
    relations, kind = Relations(shop.relations, shop.size), name.removeprefix(RELATION).strip().lower()
    if kind not in relations.names:
        raise ConfigError(
            f"retrieval.scorers: {name} cannot score, for data.relations has no such kind: use one of "
            f"{', '.join(RELATION + known for known in relations.names)}."
        )
    return related_scorer(relations, kind, config.retrieval.relation_half_life)
