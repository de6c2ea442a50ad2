"""Simulated purchases: models that must find certain tastes, marginals that must stay, histories that must be past."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config.synth_behaviour import PurchasesConfig
from tfrec.synth.behaviour.baskets import simulate_baskets
from tfrec.synth.behaviour.behaviour_source import MARGINALS, Behaviour
from tfrec.synth.behaviour.cold_items import ColdItems, find_cold_items
from tfrec.synth.behaviour.collaborative import fit
from tfrec.synth.behaviour.first_buyers import simulate_first_buyers
from tfrec.synth.behaviour.history import PurchaseHistory, histories
from tfrec.synth.behaviour.marginals import compare_marginals, gini, total_variation
from tfrec.synth.behaviour.plan import balanced_plan, take
from tfrec.synth.behaviour.plausible import PURCHASES, Plausible
from tfrec.synth.source import SAMPLES, SourceContext, Teacher

GROUP, SIZE, USERS = 100, 200, 160  # two tastes: items 0-99 and 100-199; user u has taste u % 2


def _history(seed: int = 0) -> PurchaseHistory:
    """Tastes are certain; some items are bestsellers; user u has 2 + u // 40 baskets."""
    rng = np.random.default_rng(seed)
    weight = np.arange(1, GROUP + 1) ** -0.7
    rows = []
    for user in range(USERS):
        for basket in range(2 + user // 40):
            count = int(rng.integers(2, 7))
            chosen = rng.choice(GROUP - 2, count, replace=False, p=weight[:-2] / weight[:-2].sum())
            time = 1_700_000_000 + 86_400 * int(rng.integers(300)) + 3600 * int(rng.integers(9, 18))
            rows += [(user, int(item) + GROUP * (user % 2), time + basket) for item in chosen]
    schema = {"user": pl.Int64, "item": pl.Int64, "timestamp": pl.Int64}
    lines = pl.DataFrame(rows, schema=schema, orient="row").unique().sort("user", "timestamp", "item")
    return PurchaseHistory([f"u{user}" for user in range(USERS)], lines, SIZE)


def _settings(**changes: Any) -> PurchasesConfig:
    return PurchasesConfig(**{"factors": 8, "neighbours": 20, "model": "als", "temperature": 0.5, **changes})


def _plausible(history: PurchaseHistory, settings: PurchasesConfig, cold: ColdItems | None = None) -> Plausible:
    none = find_cold_items(history.popularity, -1, np.zeros([history.size, 1], np.float32))
    return Plausible(fit(settings, history.matrix, 1)[1], cold or none, settings.temperature)


@pytest.mark.parametrize("model", ["als", "bpr", "item_item"])
def test_every_model_finds_the_taste_and_repeats_itself(model: str) -> None:
    history = _history()
    name, scores = fit(_settings(model=model), history.matrix, seed=1)
    rows = np.arange(USERS)
    found = scores(rows)
    assert name == model and found.shape == (USERS, SIZE) and found.dtype == np.float32 and np.isfinite(found).all()
    unseen = (history.matrix.toarray() == 0) & (history.popularity > 0)
    own = (np.arange(SIZE)[None] // GROUP) == (rows[:, None] % 2)
    right = [found[u, own[u] & unseen[u]].mean() > found[u, ~own[u] & unseen[u]].mean() for u in rows]
    assert np.mean(right) > 0.95
    assert np.array_equal(fit(_settings(model=model), history.matrix, seed=1)[1](rows), found)


def test_a_plan_keeps_both_totals_and_what_is_forbidden() -> None:
    rng = np.random.default_rng(0)
    plausibility = rng.random([50, 20]).astype(np.float32)
    plausibility[rng.random([50, 20]) < 0.2] = 0.0
    sizes, popularity = rng.integers(1, 5, 50), rng.dirichlet(np.full(20, 5.0))
    plan = balanced_plan(plausibility, sizes, popularity)
    assert plan.min() >= 0 and plan.max() <= 1 and not plan[plausibility == 0].any()
    np.testing.assert_allclose(plan.sum(axis=1), sizes, rtol=1e-3)
    np.testing.assert_allclose(plan.sum(axis=0), popularity * sizes.sum(), rtol=0.05)


def test_a_uniform_model_gives_popularity_itself() -> None:
    popularity = np.array([0.5, 0.3, 0.2])
    plan = balanced_plan(np.ones([4, 3], np.float32), np.ones(4, np.int64), popularity)
    np.testing.assert_allclose(plan, np.tile(popularity, [4, 1]), rtol=1e-5)


def test_taking_gives_each_item_its_chance_and_none_twice() -> None:
    rng = np.random.default_rng(0)
    chances = np.array([1.0, 0.9, 0.6, 0.3, 0.2, 0.0])
    draws = [take(chances, 3, rng) for _ in range(3000)]
    assert all(len(np.unique(items)) == 3 for items in draws)
    shares = np.bincount(np.concatenate(draws), minlength=6) / 3000
    np.testing.assert_allclose(shares, chances, atol=0.03)
    assert take(np.array([0.5, 0.0]), 3, rng).tolist() == [0]


def test_simulated_baskets_keep_the_marginals_and_the_tastes() -> None:
    history = _history()
    settings = _settings(baskets_per_shopper=5.0, thin_share=0.5)
    baskets, uncorrected = simulate_baskets(history, _plausible(history, settings), settings, seed=2)
    assert baskets.schema == pl.Schema(PURCHASES) and baskets["basket"].n_unique() == 400
    kept = np.asarray(history.matrix.sum(axis=1)).reshape(-1)
    assert kept[baskets["user"].unique().to_numpy()].max() <= np.median(kept), "only thin shoppers get more"
    had = history.matrix.toarray()[baskets["user"].to_numpy(), baskets["item"].to_numpy()]
    assert not had.any(), "nobody takes again what he has"
    assert baskets.group_by("basket").agg(pl.col("item").n_unique() == pl.len())["item"].all()
    far = compare_marginals(history, baskets, uncorrected, seed=0)
    assert far["basket_size"]["ks"] < 0.05 and far["time"]["ks"] < 0.05
    popularity = far["popularity"]
    assert popularity["total_variation"] < popularity["chance"] + 0.06, "hardly further than chance alone"
    assert popularity["total_variation"] < 0.6 * popularity["uncorrected"]
    own = (baskets["item"].to_numpy() // GROUP) == (baskets["user"].to_numpy() % 2)
    assert own.mean() > 0.8
    confidence = baskets["confidence"].to_numpy()
    assert confidence.min() >= 0 and confidence.max() <= 1
    assert confidence[own].mean() > confidence[~own].mean() + 0.1, "what is implausible is held uncertain"
    again, _ = simulate_baskets(history, _plausible(history, settings), settings, seed=2)
    assert again.equals(baskets)
    assert not simulate_baskets(history, _plausible(history, settings), settings, seed=3)[0].equals(baskets)


def test_cold_items_find_buyers_of_what_they_resemble() -> None:
    history = _history()
    cold_items = [98, 99, 198, 199]  # nobody took them
    vectors = np.zeros([SIZE, 3], np.float32)
    vectors[:GROUP, 0], vectors[GROUP:, 1], vectors[:, 2] = 1.0, 1.0, 0.2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cold = find_cold_items(history.popularity, 0, vectors)
    assert set(cold_items) <= set(cold.items.tolist()) and cold.likeness.min() > 0.5
    np.testing.assert_allclose(np.asarray(cold.weights.sum(axis=1)).reshape(-1), 1.0, rtol=1e-5)
    settings = _settings(cold_shoppers=10)
    found = simulate_first_buyers(history, _plausible(history, settings, cold), settings, seed=1)
    assert found.filter(pl.col("item").is_in(cold_items)).height == 40
    assert not found.select("user", "item").is_duplicated().any() and (found["basket"] == -1).all()
    right = (found["user"].to_numpy() % 2) == (found["item"].to_numpy() // GROUP)
    assert right.mean() > 0.85


def test_histories_are_past_and_without_the_item() -> None:
    schema = {"user": pl.Int64, "item": pl.Int64, "timestamp": pl.Int64}
    lines = pl.DataFrame([(0, 1, 10), (0, 2, 20), (0, 1, 30), (1, 5, 50)], schema=schema, orient="row")
    history = PurchaseHistory(["a", "b"], lines, 9)
    rows = [(0, 0, 25, 7), (1, 0, 40, 8), (2, 1, 40, 6), (-1, 0, 30, 2)]
    simulated = pl.DataFrame([(*row, 0.0, 0.5) for row in rows], schema=PURCHASES, orient="row")
    assert histories(history, simulated, 9) == [[1, 2], [2, 7, 1], [5], [1]]
    assert histories(history, simulated, 2)[1] == [7, 1]


def test_distances_of_known_distributions() -> None:
    assert total_variation(np.array([1, 1]), np.array([5, 5])) == 0
    assert total_variation(np.array([1, 0]), np.array([0, 2])) == 1
    assert gini(np.ones(10)) == pytest.approx(0) and gini(np.eye(100)[0]) == pytest.approx(0.99)


@pytest.fixture()
def context(shop_home: Path, tmp_path: Path) -> SourceContext:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.evaluation.baselines import Bm25

    settings = "synthesis.behaviour={purchases: {minimum_pairs: 1, factors: 8}, clicks: {sessions: 30}}"
    config = load_config(shop_home, ["name=behaviour", settings])
    shop = prepare(config)
    vectors = np.random.default_rng(0).normal(size=[shop.size, 8]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    teacher = Teacher(vectors, lambda queries: vectors[: len(queries)], Bm25.fit(shop.item_texts).scores)
    return SourceContext(config, shop, lambda: teacher, tmp_path / "work")


def test_the_source_reads_train_only_and_repeats_itself(context: SourceContext) -> None:
    from tfrec.files import read_json

    made = Behaviour().samples(context)
    assert made.schema == pl.Schema(SAMPLES) and made.null_count().sum_horizontal()[0] == 0
    assert set(made["task"]) == {"recommendation", "search"}
    assert made["confidence"].is_between(0, 1).all()
    assert made.equals(Behaviour().samples(context))
    assert {"basket_size", "popularity", "time"} <= set(read_json(context.folder / MARGINALS))
    train = context.shop.interactions.filter(pl.col("split") == "train")
    simulated = pl.read_parquet(context.folder / "purchases.parquet")
    assert simulated["timestamp"].max() <= train["timestamp"].max()
    pairs = made.filter(pl.col("task") == "recommendation").select("parent", "item")
    assert not pairs.is_duplicated().any()
    bought = set(train.select("user_id", "item").iter_rows())
    purchases = made.filter(pl.col("task") == "recommendation")
    assert not bought & set(purchases.select("parent", "item").iter_rows())
    seen = {user: set(items) for user, items in train.group_by("user_id").agg("item").iter_rows()}
    fresh = {user: set(items) for user, items in purchases.group_by("parent").agg("item").iter_rows()}
    for parent, history in purchases.select("parent", "history").iter_rows():
        assert history and set(history) <= seen[parent] | fresh[parent]
    assert not set(made["query"]) & set(context.shop.judgments("dev"))


def test_a_shop_with_too_little_behaviour_gets_none(context: SourceContext) -> None:
    from dataclasses import replace

    config = context.config.model_copy(deep=True)
    config.synthesis.behaviour.purchases.minimum_pairs = 10**6
    config.synthesis.behaviour.clicks.enabled = False
    made = Behaviour().samples(replace(context, config=config))
    assert not made.height and made.schema == pl.Schema(SAMPLES)
