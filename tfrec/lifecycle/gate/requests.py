"""Both versions asked the same: held-out queries, held-out shoppers, and items by their own titles."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from itertools import cycle, islice
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.shoppers import Shopper
from tfrec.evaluation.metrics import NDCG, evaluate_rankings
from tfrec.evaluation.recommendation import CUT, evaluate_recommendations
from tfrec.evaluation.recommendation import NDCG as NDCG_20
from tfrec.export.loaded import LoadedModel
from tfrec.export.shown_items import SHOWN_ITEMS_FILE
from tfrec.lifecycle.gate.checks import Task
from tfrec.lifecycle.gate.slices import query_slices, shopper_slices

PAGE = 10
_TITLES, _TIMED = 200, 24
T = TypeVar("T")
Pair = tuple[LoadedModel, LoadedModel | None]
Titles = tuple[Mapping[str, str], Mapping[str, str]]


def titles_of(model: LoadedModel | None) -> dict[str, str]:
    """Title by item id of everything that a version can show; items without one have ""."""
    if model is None:
        return {}
    file = model.folder / SHOWN_ITEMS_FILE
    if not file.is_file():
        return {}
    frame = pl.read_parquet(file)
    titles = frame["title"].fill_null("").to_list() if "title" in frame.columns else [""] * frame.height
    return dict(zip(frame["item_id"].to_list(), titles, strict=True))


def search_task(
    config: Config, shop: ShopData, models: Pair, served: Collection[str], judged: Mapping[str, Mapping[str, float]]
) -> tuple[Task, list[bool]] | None:
    """nDCG@10 of judged queries, and per query whether its first page changes; None without any.

    Args:
        config: sections gate, evaluation and retrieval, and the seed are read.
        shop: with the catalogue.
        models: candidate and served version.
        served: item ids of the served version.
        judged: query -> item id -> gain.
    """
    queries = _some([query for query, gains in judged.items() if any(gains.values())], config)
    if not queries:
        return None
    judgments = {query: judged[query] for query in queries}
    found = _searched(models[0], queries, config.evaluation.depth)
    mine = evaluate_rankings(judgments, found, config.evaluation.relevant_gain)
    values, names = mine.per_query[NDCG], mine.query_ids
    if models[1] is None:
        return Task("search", NDCG, "queries", values), []
    before = _searched(models[1], queries, config.evaluation.depth)
    other = evaluate_rankings(judgments, before, config.evaluation.relevant_gain).per_query[NDCG]
    parts = query_slices(config, shop, names, judgments, served, values, other)
    changed = [_page(found, query) != _page(before, query) for query in names]
    return Task("search", NDCG, "queries", values, other, list(parts)), changed


def recommendation_task(config: Config, shop: ShopData, models: Pair, split: str) -> Task | None:
    """nDCG@20 of what the shoppers of a split took next; None without any.

    Args:
        config: section gate and the seed are read.
        shop: with the shoppers.
        models: candidate and served version.
        split: dev or test.
    """
    chosen = _some(shop.shoppers(split), config)
    if not chosen:
        return None
    truths = [shopper.truth for shopper in chosen]
    ranked = _recommended(models[0], shop, chosen)
    mine = evaluate_recommendations(truths, ranked, shop.size).per_user[NDCG_20]
    if models[1] is None:
        return Task("recommendation", NDCG_20, "shoppers", mine)
    before = _recommended(models[1], shop, chosen)
    other = evaluate_recommendations(truths, before, shop.size).per_user[NDCG_20]
    parts = shopper_slices(shop, chosen, (mine, other), (ranked, before), split)
    return Task("recommendation", NDCG_20, "shoppers", mine, other, list(parts))


def title_task(config: Config, models: Pair, titles: Titles) -> Task | None:
    """MRR@10 of items that are looked for by the title that the served version knows them by: needs no label.

    Args:
        config: the seed is read.
        models: candidate and served version.
        titles: of both, by item id.

    Returns:
        None where fewer than ten items of both have a title of their own.
    """
    known = titles[0] if models[1] is None else titles[1]
    owners: dict[str, list[str]] = {}
    for item_id, title in known.items():
        if title.strip():
            owners.setdefault(title.strip().lower(), []).append(item_id)
    single = [(known[some[0]], some[0]) for some in owners.values() if len(some) == 1 and some[0] in titles[0]]
    if len(single) < PAGE:
        return None
    order = np.random.default_rng(config.seed).permutation(len(single))[:_TITLES]
    chosen = [single[row] for row in order.tolist()]
    queries, ids = [title for title, _ in chosen], [item_id for _, item_id in chosen]
    reached = [None if model is None else _places(model, queries, ids) for model in models]
    assert reached[0] is not None
    return Task("own titles", "MRR@10", "items", reached[0], reached[1])


def _places(model: LoadedModel, queries: Sequence[str], wanted: Sequence[str]) -> NDArray[np.float64]:
    """1 / place of the wanted item among the first ten of each query, 0 where it is not there, float64 [Q]."""
    values = np.zeros(len(queries))
    for row, ids in enumerate(model.search(queries, PAGE).item_ids.tolist()):
        if wanted[row] in ids:
            values[row] = 1.0 / (ids.index(wanted[row]) + 1)
    return values


def timed(
    models: tuple[LoadedModel, LoadedModel], queries: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Milliseconds of processor time, of all threads, that single searches take: both versions in turn, float64 [T]."""
    asked = list(islice(cycle(queries or ["a"]), _TIMED))
    for model in models:
        model.search(asked[:1], PAGE)
    spent: list[list[float]] = [[], []]
    for query in asked:
        for model, times in zip(models, spent, strict=True):
            start = time.process_time()
            model.search([query], PAGE)
            times.append((time.process_time() - start) * 1e3)
    return np.array(spent[0]), np.array(spent[1])


def _some(requests: Sequence[T], config: Config) -> list[T]:
    order = np.random.default_rng(config.seed).permutation(len(requests))[: config.gate.most_requests]
    return [requests[row] for row in sorted(order.tolist())]


def _searched(model: LoadedModel, queries: Sequence[str], depth: int) -> dict[str, list[tuple[str, float]]]:
    found = model.search(queries, depth, "Searching")
    return {query: found.hits(row) for row, query in enumerate(queries)}


def _recommended(model: LoadedModel, shop: ShopData, shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
    """The best items of every shopper as rows of the shop's catalogue, int32 [U, 20]; -1 = empty, or not in it."""
    rows = {item_id: row for row, item_id in enumerate(shop.item_ids)}
    histories = [[shop.item_ids[row] for row in shopper.history] for shopper in shoppers]
    found = model.recommend(histories, CUT, "Recommending", exclude_seen=not shop.repeats)
    ranked = np.full([len(shoppers), CUT], -1, np.int32)
    for row, ids in enumerate(found.item_ids.tolist()):
        for place, item_id in enumerate(ids):
            ranked[row, place] = rows.get(item_id, -1)
    return ranked


def _page(rankings: Mapping[str, Sequence[tuple[str, float]]], query: str) -> set[str]:
    return {item_id for item_id, _ in rankings[query][:PAGE]}
