"""Requests with known answers: of dev (or all few labelled queries) to choose by, of train to train a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from tfrec.data.shop import ShopData
from tfrec.retrieval.answers import Histories

BOTH = "both"
_LATEST_SHARE = 3  # one in three of a shopper's training items is what comes next


class Samples(NamedTuple):
    """Requests of one task.

    Attributes:
        queries: Q texts, "" for none.
        histories: per request rows of the catalogue, oldest first; None for none at all.
        truths: per request row -> gain above 0; never empty.
        repeats: whether items of the history may be right again.
    """

    queries: list[str]
    histories: Histories
    truths: list[Mapping[int, float]]
    repeats: bool = False


def choosing_samples(shop: ShopData, most: int, seed: int) -> dict[str, Samples]:
    """The judged queries that choose (of dev, or all where they are few), the shoppers and the newcomers ("nothing")
    of dev, and its searches of known shoppers ("both"); at most `most` of each, by the seed."""
    found = {}
    searches = _searches(shop, shop.choosing_split)
    if searches.queries:
        found["search"] = _some(searches, most, seed)
    for task, shoppers in (("recommendation", shop.shoppers("dev")), ("nothing", shop.newcomers("dev"))):
        if shoppers:
            truths: list[Mapping[int, float]] = [dict.fromkeys(shopper.truth, 1.0) for shopper in shoppers]
            histories = [shopper.history for shopper in shoppers]
            found[task] = _some(Samples([""] * len(shoppers), histories, truths, shop.repeats), most, seed)
    known = [one for one in shop.personalised_searches("dev", seed) if one.history]
    if known:
        truths = [one.truth for one in known]
        found[BOTH] = _some(Samples([one.query for one in known], [one.history for one in known], truths), most, seed)
    return found


def train_samples(shop: ShopData, most: int, seed: int) -> dict[str, Samples]:
    """Training queries, and shoppers whose latest third of training items is what comes next."""
    found = {}
    searches = _searches(shop, "train")
    if searches.queries:
        found["search"] = _some(searches, most, seed)
    shoppers = _past_and_next(shop, most, seed) if shop.has_interactions else Samples([], [], [])
    if shoppers.queries:
        found["recommendation"] = shoppers
    return found


def _searches(shop: ShopData, split: str) -> Samples:
    """Queries with an item of positive gain."""
    row_of = {item_id: row for row, item_id in enumerate(shop.item_ids)}
    queries: list[str] = []
    truths: list[Mapping[int, float]] = []
    for query, judged in shop.judgments(split).items():
        truth = {row_of[item_id]: gain for item_id, gain in judged.items() if gain > 0 and item_id in row_of}
        if truth:
            queries.append(query)
            truths.append(truth)
    return Samples(queries, None, truths)


def _past_and_next(shop: ShopData, most: int, seed: int) -> Samples:
    rows = shop.interactions.filter(pl.col("split") == "train").select("user_id", "item", "timestamp")
    taken = rows.group_by("user_id").agg(pl.col("item").n_unique())
    users = taken.filter(pl.col("item") >= _LATEST_SHARE)["user_id"].sort()
    drawn = users.gather(_drawn(len(users), most, seed))
    rows = rows.filter(pl.col("user_id").is_in(drawn.implode())).sort("user_id", "timestamp", maintain_order=True)
    histories: list[Sequence[int]] = []
    truths: list[Mapping[int, float]] = []
    for _, items in rows.group_by("user_id", maintain_order=True).agg("item").iter_rows():
        distinct = list(dict.fromkeys(items))
        cut = len(distinct) - len(distinct) // _LATEST_SHARE
        histories.append(distinct[:cut])
        truths.append(dict.fromkeys(distinct[cut:], 1.0))
    return Samples([""] * len(histories), histories, truths, shop.repeats)


def _drawn(count: int, most: int, seed: int) -> list[int]:
    """At most `most` of so many, rising."""
    if count <= most:
        return list(range(count))
    return [int(row) for row in np.sort(np.random.default_rng(seed).choice(count, most, replace=False))]


def _some(samples: Samples, most: int, seed: int) -> Samples:
    if len(samples.queries) <= most:
        return samples
    rows = _drawn(len(samples.queries), most, seed)
    histories = None if samples.histories is None else [samples.histories[row] for row in rows]
    return Samples(
        [samples.queries[row] for row in rows], histories, [samples.truths[row] for row in rows], samples.repeats
    )
