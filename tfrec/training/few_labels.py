"""A short training on few labelled queries themselves, where a shop has nothing else to train on."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tfrec.config import Config
from tfrec.data.examples import search_examples
from tfrec.data.shop import ShopData
from tfrec.data.split import FOLDS
from tfrec.encoder.store import is_pretrained
from tfrec.synth.stage import wanted
from tfrec.training.replay import Chosen

_LEAST_EXAMPLES = 2  # the smallest batch


@dataclass(frozen=True)
class FewLabels:
    """The labelled queries of a shop that has few, as what trains.

    Attributes:
        config: the configuration of that training: its steps, augmentation, and a batch that the examples fill.
        examples: positive pairs of these queries.
        queries: number of queries among them.
    """

    config: Config
    examples: Chosen
    queries: int


def few_labels(config: Config, shop: ShopData) -> FewLabels | None:
    """What few labelled queries train, or None: where there are other examples these queries choose and do not train.

    Forty steps with mixed weights (training.mixture) gained in the protocol of benchmarks/few_labels.py where queries
    made from the catalogue took away. The same queries still choose weights of scorers and tell what to expect, by the
    encoder before this training: after it they are known to the towers.

    Args:
        config: the whole configuration.
        shop: the prepared data.
    """
    section = config.training.few_labels
    able = is_pretrained(config.encoder.name) and config.training.tasks.search > 0 and section.steps > 0
    # A query student would be measured by queries that its teacher knows.
    if not able or config.encoder.query_student.active or shop.choosing_split != FOLDS:
        return None
    if shop.manifest["examples"] or wanted(config, shop):
        return None
    learned = shop.searches.filter(pl.col("split") == FOLDS).with_columns(pl.lit("train").alias("split"))
    rows = search_examples(learned, config.training.min_gain, config.data.negatives_per_query, config.seed)
    queries = rows["group"].n_unique()
    if queries < section.least_queries or rows.height < _LEAST_EXAMPLES:
        return None
    pairs = rows.select("group", "item").unique().sort("group", "item")
    examples = Chosen(rows, rows.height, pairs["group"].to_numpy(), pairs["item"].to_numpy())
    return FewLabels(settings(config, rows.height), examples, queries)


def settings(config: Config, examples: int) -> Config:
    """The configuration of a training on so many examples of few labelled queries."""
    training, section = config.training, config.training.few_labels
    batch = min(training.batch_size, examples)
    passes = (section.steps - 0.5) / max(1, round(examples / batch))  # which Batches rounds up to just these steps
    own = training.model_copy(update={"epochs": passes, "batch_size": batch})
    augment = config.augment
    if augment.policy == "none":
        augment = augment.model_copy(update={"policy": section.policy})
    return config.model_copy(update={"training": own, "augment": augment})
