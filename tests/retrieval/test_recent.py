"""Purchases that fade with age, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tfrec.retrieval.item_weights import ease
from tfrec.retrieval.recent import purchase_matrix, sales

DAY = 86_400
ROWS = [("a", 0, 0, "train"), ("a", 1, 30, "train"), ("a", 0, 40, "train"), ("b", 1, 10, "train"), ("b", 2, 70, "dev")]


class Shop:
    """Two shoppers, three items (item 3 never sells); the newest train interaction is on day 40."""

    has_interactions, size = True, 4
    popularity = np.array([2, 0, 1, 0])

    def __init__(self) -> None:
        names = ["user_id", "item", "timestamp", "split"]
        frame = pl.DataFrame(ROWS, schema=names, orient="row", schema_overrides={"item": pl.Int64})
        self.interactions = frame.with_columns(pl.col("timestamp").cast(pl.Int64) * DAY)


def test_without_half_life_all_pairs_are_alike() -> None:
    assert purchase_matrix(Shop()).toarray().tolist() == [[1, 1, 0, 0], [0, 1, 0, 0]]
    assert purchase_matrix(Shop(), ("train", "dev")).toarray().tolist() == [[1, 1, 0, 0], [0, 1, 1, 0]]
    assert sales(Shop()).tolist() == [2, 2, 0, 0], "each time counts"


def test_old_pairs_fade_from_their_last_time() -> None:
    faded = purchase_matrix(Shop(), half_life=15).toarray()
    np.testing.assert_allclose(faded, [[1, 2**-0.333333, 0, 0], [0, 0.5, 0, 0]], rtol=1e-5)
    gram = faded.T @ faded
    assert gram[1, 1] == pytest.approx(2 ** (-10 / 15) + 0.25), "an entry's square halves with the half-life"
    np.testing.assert_allclose(sales(Shop(), half_life=10), [1, 0.5 + 0.125, 0, 0])
    late = purchase_matrix(Shop(), ("train", "dev"), 15).toarray()
    assert late[1, 2] == 1 and late[0, 0] == pytest.approx(0.5), "age counts from the newest interaction that is known"


def test_weaker_events_count_by_their_weight() -> None:
    shop = Shop()
    shop.interactions = shop.interactions.with_columns(pl.Series("weight", [1, 1, 5, 5, 3], dtype=pl.Float32))
    matrix = purchase_matrix(shop).toarray()
    np.testing.assert_allclose(matrix**2, [[1, 0.2, 0, 0], [0, 1, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(sales(shop), [1.2, 1.2, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(sales(shop, ("train", "dev"), 1e9), [1, 1.2, 0.6, 0], rtol=1e-6)
    shop.interactions = shop.interactions.with_columns(pl.lit(3.0).alias("weight"))
    np.testing.assert_array_equal(purchase_matrix(shop).toarray(), purchase_matrix(Shop()).toarray())


def test_a_long_half_life_changes_nothing() -> None:
    plain, slow = ease(purchase_matrix(Shop()), 2.0), ease(purchase_matrix(Shop(), half_life=1e9), 2.0)
    np.testing.assert_allclose(plain.matrix().toarray(), slow.matrix().toarray(), atol=1e-5)


def test_a_shop_without_interactions() -> None:
    shop = Shop()
    shop.has_interactions = False
    assert purchase_matrix(shop).shape == (0, 4)
    assert sales(shop, half_life=3).tolist() == [2, 0, 1, 0], "right answers stand for sales"


def test_what_came_into_fashion_outweighs_what_went_out() -> None:
    rows = [(f"u{n}", 0 if n < 6 else 1, n * 10, "train") for n in range(10)] + [
        (f"u{n}", 3, n * 10 + 1, "train") for n in range(10)
    ]
    shop = Shop()
    frame = pl.DataFrame(rows, schema=shop.interactions.columns, orient="row", schema_overrides={"item": pl.Int64})
    shop.interactions = frame.with_columns(pl.col("timestamp").cast(pl.Int64) * DAY)
    plain = ease(purchase_matrix(shop), 0.5).matrix().toarray()[3]
    recent = ease(purchase_matrix(shop, half_life=10), 0.5).matrix().toarray()[3]
    assert plain[0] > plain[1] and recent[1] > recent[0]
