"""Popularity answers shoppers of whom nothing is known, and stays out of other rankings unless they surely gain."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import Config, parse_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.evaluation.significance import compare
from tfrec.files import read_json
from tfrec.retrieval.answers import rank_requests
from tfrec.retrieval.building import build_scorers
from tfrec.retrieval.choosing import Chosen, chosen_weights
from tfrec.retrieval.evidence import Evidence
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.pool import Pool
from tfrec.retrieval.stage import fuse

ITEMS = 14


class Towers:
    """Vectors that point at the items of the history, and for nobody at the item that never sells."""

    speller = None

    def query_vectors(self, queries: Sequence[str], histories: Any = None) -> np.ndarray:
        rows = np.zeros([len(queries), ITEMS], np.float32)
        for row, history in enumerate(histories if histories is not None else [[]] * len(queries)):
            rows[row, list(history) or [ITEMS - 1]] = 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def write(path: Path, header: Sequence[str], rows: list[tuple]) -> None:
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Item n sells 2 * (14 - n) times before June, the last one never; in June newcomers and old shoppers buy."""
    folder = tmp_path_factory.mktemp("nothing")
    write(folder / "items.csv", ("item_id", "title"), [(f"i{n:02}", f"thing {n}") for n in range(ITEMS)])
    orders = []
    for item in range(ITEMS - 1):
        for time in range(2 * (ITEMS - item)):
            orders.append((f"u{(item * 5 + time) % 30}", f"i{item:02}", f"2024-0{1 + time % 5}-{1 + time % 28:02d}"))
    for shopper in range(10):
        orders.append((f"new{shopper}", f"i{shopper % 3:02}", "2024-06-20"))
        orders.append((f"u{shopper}", f"i{(shopper * 7 + 3) % ITEMS:02}", "2024-06-20"))
    write(folder / "orders.csv", ("user_id", "item_id", "timestamp"), orders)
    judged = [(f"word{n}", f"i{item:02}", 1.0) for item in range(4) for n in range(6 - item)]
    write(folder / "searches.csv", ("query", "item_id", "gain"), judged)
    return folder


def shop_of(root: Path, name: str, retrieval: dict[str, Any] | None = None) -> tuple[Config, ShopData]:
    files = {"interactions": "orders.csv"} if name != "searches" else {"searches": "searches.csv"}
    split = (
        {"few_queries": 0, "dev_share": 0, "test_share": 0} if name == "searches" else {"dev_days": 20, "test_days": 0}
    )
    data = {"root": str(root), "items": "items.csv", "template": "{title}", "split": split, **files}
    config = parse_config({"name": name, "runs_dir": str(root / "runs"), "data": data, "retrieval": retrieval or {}})
    return config, prepare(config)


def fused(root: Path, name: str, retrieval: dict[str, Any] | None = None) -> tuple[Fusion, ShopData, Path]:
    config, shop = shop_of(root, name, retrieval)
    catalogue = np.eye(ITEMS, dtype=np.float32)
    folder = root / "fused" / name
    return fuse(config, shop, Towers(), build_scorers(config, shop, catalogue), "s", folder, compare), shop, folder


def ranked(fusion: Fusion, histories: list[list[int]], k: int = ITEMS) -> list[list[int]]:
    return rank_requests(Towers(), fusion, [""] * len(histories), histories, k, ITEMS, True)[0].tolist()


def test_a_shop_with_purchases_answers_nobody_with_what_sells(root: Path) -> None:
    fusion, shop, folder = fused(root, "bought")
    assert fusion.labels == ["dense", "lexical", "collaborative", "popularity"]
    rows = shop.interactions
    sold = np.bincount(rows["item"].to_numpy()[(rows["split"] == "train").to_numpy()], minlength=ITEMS)
    assert len(set(sold.tolist())) == ITEMS, "sales must order the items"
    assert ranked(fusion, [[], []]) == [np.argsort(-sold).tolist()] * 2
    told = read_json(folder / "fusion.json")["tasks"]["nothing"]
    assert told["requests"] == len(shop.newcomers("dev")) == 10
    assert told["weights"]["popularity"] > 0.9 and told["held_out"] > told["alone"]["dense"]
    assert told["weights"]["lexical"] == told["weights"]["collaborative"] == 0


def test_a_history_ranks_as_if_there_were_no_popularity(root: Path) -> None:
    histories = [[3], [0, 5], [12, 1, 2]]
    with_it, _, _ = fused(root, "bought")
    without, _, _ = fused(root, "unpopular", {"scorers": ["dense", "lexical", "collaborative"]})
    assert with_it.weights.used([1, 2, 3]).tolist() == [True, True, True, False]
    assert ranked(with_it, histories) == ranked(without, histories)
    assert ranked(with_it, [[]]) != ranked(without, [[]])
    assert ranked(without, [[]], 1) == [[ITEMS - 1]]


def test_a_shop_with_searches_alone_takes_right_answers_for_sales(root: Path) -> None:
    fusion, _, _ = fused(root, "searches")
    assert fusion.labels == ["dense", "lexical", "popularity"]
    assert ranked(fusion, [[]], 4) == [[0, 1, 2, 3]]


def test_recency_counts_where_it_is_configured(root: Path) -> None:
    fusion, _, folder = fused(root, "recent", {"scorers": ["dense", "popularity", "recency"]})
    weights = read_json(folder / "fusion.json")["tasks"]["nothing"]["weights"]
    assert weights["recency"] > 0.2 and weights["popularity"] > 0.2
    fixed = {"scorers": ["dense", "popularity", "recency"], "fusion": {"weights": {"nothing": {"recency": 1.0}}}}
    fusion, shop, _ = fused(root, "fixed", fixed)
    rows = shop.interactions.filter(shop.interactions["split"] == "train").group_by("item").max()
    latest = dict(rows.select("item", "timestamp").iter_rows())
    times = [latest[item] for item in ranked(fusion, [[]])[0] if item in latest]  # an unsold item scores as the mean
    assert len(times) == ITEMS - 1 and times == sorted(times, reverse=True)


def pool_of(requests: int, worth: float, seed: int = 3) -> Pool:
    """A scorer that knows half of the right items; items 0 to 4, which a constant one ranks first, are more often right
    the more it is worth."""
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(requests, 40, 2)).astype(np.float32)
    parts[:, :, 1] = np.where(np.arange(40) < 5, 2.5, -0.36)
    right = np.where(rng.random(requests) < worth, rng.integers(0, 5, requests), rng.integers(0, 40, requests))
    rows = np.arange(requests)
    parts[rows, right, 0] += np.where(rng.random(requests) < 0.5, 3.0, 0.0)
    gains = np.zeros([requests, 40], np.float32)
    gains[rows, right] = 1.0
    items = np.tile(np.arange(40, dtype=np.int32), (requests, 1))
    flags = np.tile(np.array([1, 0, 0], np.float32), (requests, 1))
    truth, keys = [np.ones(1, np.float32)] * requests, [str(number) for number in range(requests)]
    return Pool(items, parts, gains, truth, np.zeros([requests, 1], np.float32), flags, keys)


def chosen(task: str, pool: Pool, labels: list[str], constant: list[int]) -> Chosen:
    return chosen_weights(task, Evidence(pool, 17), labels, constant, 0)


@pytest.mark.parametrize("task", ["search", "recommendation"])
def test_a_constant_scorer_counts_only_where_other_requests_gain(task: str) -> None:
    labels = ["dense", "popularity"]
    useless = chosen(task, pool_of(150, 0.0), labels, [1])
    assert useless.weights.tolist() == [1, 0]
    np.testing.assert_array_equal(useless.honest, useless.alone[0])
    useful = chosen(task, pool_of(150, 0.7), labels, [1])
    assert useful.weights[1] > 0.1 and useful.honest.mean() > useful.alone.mean(axis=1).max()
    # alone, it is all there is
    assert chosen(task, pool_of(20, 0.0), labels, [0, 1]).weights.sum() == pytest.approx(1)
    assert chosen(task, pool_of(1, 0.0), labels, [1]).weights.tolist() == [1, 0]


def test_the_dense_scorer_joins_newcomers_rankings_only_where_other_newcomers_gain() -> None:
    labels = ["dense", "popularity"]
    # a dense scorer that says the right thing to half of the newcomers, beside a popularity that says little
    assert chosen("nothing", pool_of(150, 0.3), labels, [1]).weights[0] > 0.1
    moved = 0
    for seed in range(40):
        noise = pool_of(30, 0.5, seed)
        noise.parts[:, :, 0] = np.random.default_rng(seed).normal(size=noise.parts[:, :, 0].shape)
        moved += chosen("nothing", noise, labels, [1]).weights[0] > 0
    assert moved <= 6, "noise joins once in twenty times"


def test_a_few_requests_let_nobody_join_and_their_order_changes_nothing() -> None:
    labels = ["dense", "popularity"]
    assert chosen("search", pool_of(9, 1.0), labels, [1]).weights.tolist() == [1, 0]
    pool = pool_of(60, 0.7)
    order = np.random.default_rng(1).permutation(60)
    one, other = (chosen_weights("search", Evidence(some, 3), labels, [1], 20) for some in (pool, pool.some(order)))
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-9)
    np.testing.assert_allclose(one.honest[order], other.honest, atol=1e-9)
    np.testing.assert_allclose(one.of_folds, other.of_folds, atol=1e-9)


def test_each_request_is_ranked_by_weights_that_it_had_no_part_in() -> None:
    pool, labels = pool_of(60, 0.7), ["dense", "other"]
    before = chosen_weights("search", Evidence(pool, 3), labels, [], 20)
    inside = np.flatnonzero(before.folds == 2)
    pool.gains[inside] = pool.gains[inside, ::-1]  # other answers to the requests of one fold
    after = chosen_weights("search", Evidence(pool, 3), labels, [], 20)
    np.testing.assert_array_equal(before.of_folds[2], after.of_folds[2])
    assert (before.weights != after.weights).any() and (before.of_folds[0] != after.of_folds[0]).any()
