"""From samples to training examples: which item answers each of them, and which items must never count against it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.examples import search_groups
from tfrec.data.shop import ShopData
from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.source import SAMPLES, Teacher
from tfrec.synth.sources import entry_of
from tfrec.synth.teacher import Labels, hybrid_labels

# what an example has beside the columns of SAMPLES; label: who says that the item answers, the source or the teacher
EXAMPLES: dict[str, pl.DataType | type[pl.DataType]] = {
    **SAMPLES,
    "group": pl.Int64,
    "weight": pl.Float32,
    "label": pl.String,
    "label_score": pl.Float32,
    "negatives": pl.List(pl.Int64),
}


def label(
    samples: pl.DataFrame, config: Config, shop: ShopData, teacher: Callable[[], Teacher]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Gives every sample its items, group and weight.

    A query is one group whatever sources made it; so is a shopper. Known positives of a query are its samples' items,
    the teacher's top ones, and what the shop's own training judgments say of the same query; of a shopper, the samples'
    items and what was really taken before the cut. And a label that was spread to a query of the shop's own is known to
    that query's own group: its items are no negatives of the judged examples either, where no judgment says so.

    Args:
        samples: the columns of SAMPLES, after all checks.
        config: section synthesis and the seed are read.
        shop: the prepared data.
        teacher: called when there are queries.

    Returns:
        examples (the columns of EXAMPLES; every item at least 0), and known positives (group Int64, item Int64).
    """
    groups = shop.known_positives[0]
    first = int(groups.max()) + 1 if len(groups) else 0
    searches = samples.filter(pl.col("task") == "search")
    examples, known = _label_searches(searches, config, shop, teacher, first)
    shoppers = samples.filter(pl.col("task") == "recommendation")
    more, others = _label_shoppers(shoppers, config, shop, first + searches["query"].n_unique())
    examples = pl.concat([examples, more]).filter(pl.col("weight") > 0)
    return examples, pl.concat([known, others]).unique().sort("group", "item")


def _label_searches(
    samples: pl.DataFrame, config: Config, shop: ShopData, teacher: Callable[[], Teacher], first: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    if not samples.height:
        return _empty()
    synthesis = config.synthesis
    keys = samples["query"].map_elements(normalise, return_dtype=pl.String)
    firsts = samples.with_columns(keys.alias("key")).unique("key", keep="first", maintain_order=True)
    number = {key: place for place, key in enumerate(firsts["key"].to_list())}
    samples = samples.with_columns(keys.replace_strict(number, return_dtype=pl.Int64).alias("number"))
    known_by = teacher()
    labels = hybrid_labels(
        firsts["query"].to_list(), known_by.encode, known_by.items, known_by.lexical, synthesis.top, synthesis.negatives
    )
    own = samples["source"].unique().to_list()
    own = [name for name in own if entry_of(name).labels_itself]
    labelled = (pl.col("item") >= 0) & (pl.col("source").is_in(own) | pl.lit(synthesis.labels != "teacher"))
    kept = samples.filter(labelled).with_columns(
        pl.lit("source").alias("label"), pl.col("confidence").alias("label_score")
    )
    drawn = _drawn(samples, own, labels, config)
    examples = pl.concat([drawn, kept.select(drawn.columns)]).sort("number", maintain_order=True)
    near = pl.Series("negatives", labels.near[examples["number"].to_numpy()].tolist(), dtype=pl.List(pl.Int64))
    examples = examples.with_columns(
        near, pl.col("confidence").alias("weight"), (pl.col("number") + first).alias("group")
    )
    pairs = [samples.filter(pl.col("item") >= 0).select("number", "item"), _pairs(labels), _judged(shop, number)]
    known = pl.concat(pairs).select((pl.col("number") + first).alias("group"), "item")
    known = pl.concat([known, _spread(shop, number, examples.filter(pl.col("weight") > 0).select("number", "item"))])
    return examples.select(pl.col(name).cast(kind) for name, kind in EXAMPLES.items()), known


def _drawn(samples: pl.DataFrame, own: list[str], labels: Labels, config: Config) -> pl.DataFrame:
    """Examples whose item the teacher gives, as many per query as the configuration leaves to it."""
    synthesis = config.synthesis
    rng = np.random.default_rng(config.seed)
    # The rows of float32 shares need not sum to one exactly, as rng.choice demands of shares.
    share = labels.share.astype(np.float64)
    bounds = np.cumsum(share / share.sum(axis=1, keepdims=True), axis=1)
    chances = rng.random([len(share), synthesis.items_per_query])
    places = np.stack([np.searchsorted(row, draws, side="right") for row, draws in zip(bounds, chances, strict=True)])
    places = np.minimum(places, share.shape[1] - 1)
    made = samples.filter(~pl.col("source").is_in(own))
    if synthesis.labels == "parent":
        made = made.filter(pl.col("item") < 0)
    given = ((pl.col("item") >= 0) & pl.lit(synthesis.labels == "both")).sum().cast(pl.Int64)
    # the first sample of a query stands for it; a query that has items of its own needs so many fewer from the teacher
    asked = made.group_by("number", maintain_order=True).agg(
        *(pl.col(name).first() for name in SAMPLES if name != "item"), given.alias("given")
    )
    wanted = np.maximum(0, synthesis.items_per_query - asked["given"].to_numpy())
    rows = np.repeat(np.arange(asked.height), wanted)
    turn = np.arange(len(rows)) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    numbers = asked["number"].to_numpy()[rows]
    chosen = places[numbers, turn]
    return asked[rows].select(
        *(pl.col(name) for name in SAMPLES if name != "item"),
        "number",
        pl.Series("item", labels.best[numbers, chosen].astype(np.int64)),
        pl.lit("teacher").alias("label"),
        pl.Series("label_score", labels.share[numbers, chosen]),
    )


def _pairs(labels: Labels) -> pl.DataFrame:
    count, top = labels.best.shape
    return pl.DataFrame(
        {"number": np.repeat(np.arange(count), top), "item": labels.best.reshape(-1).astype(np.int64)},
        schema={"number": pl.Int64, "item": pl.Int64},
    )


def _judged(shop: ShopData, number: dict[str, int]) -> pl.DataFrame:
    """Positives of the shop's own training queries that were made again."""
    schema = {"number": pl.Int64, "item": pl.Int64}
    if not shop.has_searches:
        return pl.DataFrame(schema=schema)
    judged = shop.searches.filter(
        (pl.col("split") == "train") & (pl.col("gain") >= shop.manifest["min_gain"]) & (pl.col("gain") > 0)
    )
    keys = judged["query"].map_elements(normalise, return_dtype=pl.String)
    numbers = keys.replace_strict(number, default=None, return_dtype=pl.Int64)
    return judged.select(numbers.alias("number"), "item").drop_nulls().cast(schema)  # type: ignore[arg-type]


def _spread(shop: ShopData, number: dict[str, int], examples: pl.DataFrame) -> pl.DataFrame:
    """Items of made examples whose query the shop has labelled itself, with its group there; judged ones left out."""
    if not shop.has_searches:
        return pl.DataFrame(schema={"group": pl.Int64, "item": pl.Int64})
    groups = search_groups(shop.searches, shop.manifest["min_gain"])
    keys = groups["query"].map_elements(normalise, return_dtype=pl.String)
    numbers = keys.replace_strict(number, default=None, return_dtype=pl.Int64)
    own = groups.with_columns(numbers.alias("number")).drop_nulls("number")
    judged = shop.searches.filter(pl.col("split") == "train").join(own, on="query").select("group", "item")
    spread = own.join(examples.unique(), on="number").select("group", "item")
    return spread.join(judged, on=["group", "item"], how="anti")


def _label_shoppers(
    samples: pl.DataFrame, config: Config, shop: ShopData, first: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    if not samples.height:
        return _empty()
    users = samples["parent"].unique(maintain_order=True)
    number = pl.DataFrame({"parent": users, "group": np.arange(first, first + len(users))})
    examples = samples.join(number, on="parent", how="left", maintain_order="left").with_columns(
        pl.col("history").list.tail(config.data.history_length),
        pl.col("confidence").alias("weight"),
        pl.lit("source").alias("label"),
        pl.col("confidence").alias("label_score"),
        pl.lit([], pl.List(pl.Int64)).alias("negatives"),
    )
    known = [examples.select("group", "item")]
    if shop.has_interactions:
        real = shop.interactions.filter(pl.col("split") == "train").select(pl.col("user_id").alias("parent"), "item")
        known.append(number.join(real, on="parent").select("group", "item"))
    return examples.select(pl.col(name).cast(kind) for name, kind in EXAMPLES.items()), pl.concat(known)


def _empty() -> tuple[pl.DataFrame, pl.DataFrame]:
    return pl.DataFrame(schema=EXAMPLES), pl.DataFrame(schema={"group": pl.Int64, "item": pl.Int64})
