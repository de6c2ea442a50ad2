"""What a shop's data holds that an earlier state of it did not: for people to read, and to train on."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.config import Config
from tfrec.data.examples import SCHEMA, training_examples
from tfrec.data.personalised.table import training_rows
from tfrec.data.shop import ShopData

_PURCHASE = ["user_id", "item_id", "timestamp"]
_JUDGMENT = ["query", "item_id"]


@dataclass(frozen=True)
class Newer:
    """How much is new, whatever split it is in.

    Attributes:
        items, gone: products that came, and that left.
        judgments: pairs of query and item, of people or of a log.
        purchases: rows of interactions.
    """

    items: int
    gone: int
    judgments: int
    purchases: int

    def __str__(self) -> str:
        return (
            f"{self.items:,} new items, {self.gone:,} gone, {self.judgments:,} new judgments, "
            f"{self.purchases:,} new purchases"
        )


def newer(shop: ShopData, before: ShopData) -> Newer:
    """Counts what is new.

    Args:
        shop: the data as it is now.
        before: an earlier state.
    """
    now, then = set(shop.item_ids), set(before.item_ids)
    return Newer(
        len(now - then),
        len(then - now),
        _more(_searches(shop), _searches(before), _JUDGMENT),
        _more(_interactions(shop), _interactions(before), _PURCHASE),
    )


def examples_by_age(config: Config, shop: ShopData, before: ShopData) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The training examples that an earlier training had not seen, and those that it had.

    New are purchases and searches with a history that were not in its training split (those that it had held out have
    become so by now), pairs of query and item that were no positives there, and all that is left of a query that has
    lost one: what it was taught is wrong now.

    Args:
        config: sections data and training, and the seed are read.
        shop: the data as it is now.
        before: what the earlier training was trained on.

    Returns:
        (new, old), with the columns of tfrec.data.examples.SCHEMA and timestamp Int64, null for searches.
    """
    searches = shop.searches if shop.has_searches else None
    interactions = [shop.interactions] if shop.has_interactions else []
    with tempfile.TemporaryDirectory() as work:
        given = (config, searches, interactions, shop.repeats, Path(work) / "examples")
        of_searches, of_shoppers, first_group = training_examples(*given)
        bought = list(of_shoppers)
    of_searches = of_searches.with_columns(pl.lit(None, pl.Int64).alias("timestamp"))
    found = [_marked_searches(of_searches, shop, before)]
    if bought:
        found.append(_marked_purchases(pl.concat(bought), first_group, shop, before))
    if shop.has_personalised:
        found.append(_marked_personalised(shop, before))
    marked = pl.concat(found)
    return marked.filter("_new").drop("_new"), marked.filter(~pl.col("_new")).drop("_new")


def _marked_searches(examples: pl.DataFrame, shop: ShopData, before: ShopData) -> pl.DataFrame:
    known = _positives(before)
    lost = known.join(_positives(shop), on=_JUDGMENT, how="anti").join(_searches(shop), on=_JUDGMENT, how="semi")
    keys = examples.select("query", _item_id(shop))
    taught = keys.join(known.with_columns(_seen=True), on=_JUDGMENT, how="left", maintain_order="left")["_seen"]
    wrong = keys["query"].is_in(lost["query"].unique().to_list())
    return _columns(examples, ~taught.fill_null(False) | wrong)


def _marked_purchases(examples: pl.DataFrame, first_group: int, shop: ShopData, before: ShopData) -> pl.DataFrame:
    trained = shop.interactions.filter(pl.col("split") == "train")
    users = trained["user_id"].unique(maintain_order=True)  # groups count them in this order
    keys = examples.select(users.gather(examples["group"] - first_group).alias("user_id"), _item_id(shop), "timestamp")
    known = _interactions(before).filter(pl.col("split") == "train").select(_PURCHASE).unique()
    seen = keys.join(known.with_columns(_seen=True), on=_PURCHASE, how="left", maintain_order="left")["_seen"]
    return _columns(examples, ~seen.fill_null(False))


def _marked_personalised(shop: ShopData, before: ShopData) -> pl.DataFrame:
    examples = shop.personalised.filter(pl.col("split") == "train")
    keys = examples.select("user_id", "query", "timestamp", _item_id(shop))
    known = pl.DataFrame(schema=keys.schema)
    if before.has_personalised:
        trained = before.personalised.filter(pl.col("split") == "train")
        known = trained.select("user_id", "query", "timestamp", _item_id(before)).unique()
    seen = keys.join(known.with_columns(_seen=True), on=keys.columns, how="left", maintain_order="left")["_seen"]
    return _columns(training_rows(examples), ~seen.fill_null(False))


def _columns(examples: pl.DataFrame, new: pl.Series) -> pl.DataFrame:
    return examples.select(*SCHEMA, "timestamp", new.alias("_new"))


def _item_id(shop: ShopData) -> pl.Expr:
    return pl.col("item").replace_strict(dict(enumerate(shop.item_ids)), return_dtype=pl.String).alias("item_id")


def _positives(shop: ShopData) -> pl.DataFrame:
    positive = (pl.col("gain") >= shop.manifest["min_gain"]) & (pl.col("gain") > 0) & (pl.col("split") == "train")
    return _searches(shop).filter(positive).select(_JUDGMENT).unique()


def _searches(shop: ShopData) -> pl.DataFrame:
    if shop.has_searches:
        return shop.searches.select(*_JUDGMENT, "gain", "split")
    return pl.DataFrame(schema={"query": pl.String, "item_id": pl.String, "gain": pl.Float32, "split": pl.String})


def _interactions(shop: ShopData) -> pl.DataFrame:
    if shop.has_interactions:
        return shop.interactions.select(*_PURCHASE, "split")
    return pl.DataFrame(schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64, "split": pl.String})


def _more(now: pl.DataFrame, then: pl.DataFrame, keys: list[str]) -> int:
    return now.select(keys).unique().join(then.select(keys), on=keys, how="anti").height
