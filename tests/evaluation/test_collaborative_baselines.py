"""Collaborative baselines on purchases whose structure is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tfrec.data.shoppers import Shopper
from tfrec.evaluation import collaborative_baselines as baselines
from tfrec.evaluation.collaborative_baselines import LABELS, collaborative_baselines, grids
from tfrec.evaluation.collaborative_models import Popularity, ease, item_knn
from tfrec.evaluation.factor_models import Als, Bpr
from tfrec.evaluation.purchases import history_matrix, purchases_before, rank_unseen

GROUPS, EACH = 6, 10
SIZE = GROUPS * EACH
DAY = 86_400


class Shop:
    """Six groups of ten items; every shopper buys eight of one group. The seventh is dev, the eighth is test."""

    has_interactions, size = True, SIZE
    item_texts = [f"thing{item // EACH} number{item}" for item in range(SIZE)]

    def __init__(self, shoppers: int = 120, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        rows = []
        for user in range(shoppers):
            taken = rng.permutation(EACH)[:8] + EACH * (user % GROUPS)
            for day, item in enumerate(taken.tolist()):
                split = "train" if day < 6 else "dev" if day == 6 else "test"
                rows.append((f"u{user:03}", item, DAY * (1 + day), split))
        self.interactions = pl.DataFrame(
            rows,
            schema=["user_id", "item", "timestamp", "split"],
            orient="row",
            schema_overrides={"item": pl.Int64, "timestamp": pl.Int64},
        ).sort("user_id", "timestamp", maintain_order=True)

    def shoppers(self, split: str) -> list[Shopper]:
        before = ["train"] if split == "dev" else ["train", "dev"]
        found = []
        for (user,), rows in self.interactions.group_by("user_id", maintain_order=True):
            past = rows.filter(pl.col("split").is_in(before))["item"].to_list()
            found.append(Shopper(user, past, rows.filter(pl.col("split") == split)["item"].to_list()))
        return found


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def fitted(shop: Shop):
    past = purchases_before(shop, "dev")
    yield "item-kNN", item_knn(past, 5, 1.0)
    yield "EASE", ease(past, 5.0)
    yield "ALS", Als.fit(past, 1, factors=8, regularisation=0.1)
    yield "BPR", Bpr.fit(past, 1, factors=8, iterations=200)


def test_every_model_finds_the_rest_of_the_shoppers_group(shop: Shop):
    shoppers = shop.shoppers("dev")
    for name, model in fitted(shop):
        ranked = model.recommend(shoppers)
        assert ranked.shape == (len(shoppers), 20) and ranked.dtype == np.int32, name
        inside = [
            np.mean(row[:4] // EACH == shopper.history[0] // EACH)
            for row, shopper in zip(ranked, shoppers, strict=True)
        ]
        assert np.mean(inside) > 0.95, f"{name}: the four items that a shopper has not bought are those of the group"
        assert all(not set(row) & set(s.history) for row, s in zip(ranked.tolist(), shoppers, strict=True)), name
        again = model.recommend(shoppers[5:7])
        np.testing.assert_array_equal(again, ranked[5:7], err_msg=f"{name}: a shopper's list depends on nobody else")


def test_same_seed_same_lists(shop: Shop):
    shoppers = shop.shoppers("dev")
    for (name, first), (_, second) in zip(fitted(shop), fitted(shop), strict=True):
        np.testing.assert_array_equal(first.recommend(shoppers), second.recommend(shoppers), err_msg=name)


def test_newcomers_get_what_sells(shop: Shop):
    past = purchases_before(shop, "dev")
    best = int(past.counts().argmax())
    for name, model in fitted(shop):
        ranked = model.recommend([Shopper("stranger", [], [0])])
        assert len(set(ranked[0].tolist())) == 20, name
        if name in ("item-kNN", "EASE"):
            assert ranked[0, 0] == best, name


def test_purchases_hold_each_pair_once_with_its_last_day():
    shop = Shop(2)
    again = shop.interactions.head(1).with_columns(pl.lit(DAY * 4, pl.Int64).alias("timestamp"))
    shop.interactions = pl.concat([shop.interactions, again]).sort("user_id", "timestamp", maintain_order=True)
    past = purchases_before(shop, "dev")
    item = again["item"][0]
    assert past.matrix.sum() == 12 and past.matrix.max() == 1
    assert past.last[0, item] == 2.0, "day 4, two days before the last one, day 6"
    assert past.counts().sum() == 12
    assert past.counts(0.5).sum() == 2, "two shoppers bought on the last day"
    assert purchases_before(shop, "test").matrix.sum() == 14


def test_ease_is_the_closed_form(shop: Shop):
    past = purchases_before(shop, "dev")
    x = past.matrix.toarray().astype(float)
    p = np.linalg.inv(x.T @ x + 7 * np.eye(SIZE))
    expected = np.eye(SIZE) - p / np.diag(p)
    np.testing.assert_allclose(ease(past, 7.0).weights, expected, atol=1e-5)


def test_knn_is_the_shrunk_cosine_of_the_nearest(shop: Shop):
    past = purchases_before(shop, "dev")
    x = past.matrix.toarray()
    norms = np.linalg.norm(x, axis=0)
    cosine = (x.T @ x) / (np.outer(norms, norms) + 3.0)
    np.fill_diagonal(cosine, 0)
    whole = item_knn(past, SIZE, 3.0).weights.toarray()
    np.testing.assert_allclose(whole, cosine, atol=1e-6)
    cut = item_knn(past, 4, 3.0).weights.toarray()
    assert (np.count_nonzero(cut, axis=0) == 4).all(), "four items speak for each"
    np.testing.assert_allclose(np.sort(cut, axis=0)[-4:], np.sort(cosine, axis=0)[-4:], atol=1e-6)


def test_history_weights_decay_from_the_newest():
    past = history_matrix([[3, 1, 2], [], [0]], 4, 0.5).toarray()
    np.testing.assert_allclose(past, [[0, 0.5, 1, 0.25], [0, 0, 0, 0], [1, 0, 0, 0]])


def test_ranking_leaves_out_the_history_and_marks_empty_places():
    scores = np.array([[0.1, 0.5, 0.5, 0.9]], np.float32)
    ranked = rank_unseen(lambda rows: scores[rows], [[3]], 4, 6)
    assert ranked.tolist() == [[1, 2, 0, -1, -1, -1]]


def test_the_history_may_come_again_where_purchases_repeat(shop: Shop):
    once = shop.shoppers("dev")[:12]
    again = [Shopper(one.user_id, one.history, one.history, repeats=True) for one in once]
    for name, model in fitted(shop):
        fresh, repeated = model.recommend(once), model.recommend(again)
        assert not any(set(one.history) & set(row.tolist()) for one, row in zip(once, fresh, strict=True)), name
        assert all(set(one.history) & set(row.tolist()) for one, row in zip(again, repeated, strict=True)), name


def test_popularity_can_count_the_last_days_alone():
    shop = Shop(1)
    past = purchases_before(shop, "dev")
    newest = shop.interactions.filter(pl.col("timestamp") == DAY * 6)["item"][0]
    stranger = [Shopper("x", [], [])]
    assert Popularity.fit(past, 0.5).recommend(stranger)[0, 0] == newest
    assert set(Popularity.fit(past, 0.5).recommend(stranger)[0, :6]) == set(past.matrix.indices), "older ones next"


def test_tuning_takes_the_best_on_dev_and_refits_before_the_split(shop: Shop, monkeypatch):
    seen = []

    def fit(purchases, quality):
        seen.append((quality, purchases.matrix.sum()))

        class Model:
            def recommend(self, shoppers):
                right = [s.truth[0] if n / len(shoppers) < quality else SIZE - 1 for n, s in enumerate(shoppers)]
                return np.array(right, np.int32)[:, None]

        return Model()

    monkeypatch.setattr(
        baselines, "grids", lambda seed, size: {"EASE": baselines.Grid(fit, {"quality": [0.2, 0.9, 0.5]})}
    )
    tuned = collaborative_baselines(shop, ["EASE"], "test", 1)["EASE"]
    assert tuned.settings == {"quality": 0.9} and tuned.dev_recall == pytest.approx(0.9, abs=0.02)
    assert seen == [(0.2, 720), (0.9, 720), (0.5, 720), (0.9, 840)], "tuned before dev, fitted before test"
    seen.clear()
    collaborative_baselines(shop, ["EASE"], "dev", 1)
    assert len(seen) == 3, "for dev the chosen model is already the right one"


def test_every_name_of_the_configuration_has_a_grid():
    from tfrec.config.delivery import EvaluationConfig

    names = EvaluationConfig(recommendation_baselines=list(LABELS)).recommendation_baselines  # type: ignore[arg-type]
    assert set(grids(1, 100)) == {LABELS[name] for name in names}


def test_what_would_take_too_long_is_left_out(shop: Shop, monkeypatch, caplog):
    monkeypatch.setattr(baselines, "MOST_EASE_ITEMS", SIZE - 1)
    monkeypatch.setattr(baselines, "MOST_PAIRS", 10)
    assert list(collaborative_baselines(shop, ["EASE", "item-kNN", "popularity"], "dev", 1)) == ["popularity"]
    assert "EASE is left out" in caplog.text and "item-kNN is left out" in caplog.text
