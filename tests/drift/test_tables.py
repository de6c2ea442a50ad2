"""Incoming tables beside those that trained: each damage is named with its column and figure, a sound table passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from tfrec.config import ChecksConfig
from tfrec.drift.tables import compare_tables

ROWS = 400


def items(seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "item_id": [f"i{row}" for row in range(ROWS)],
            "title": [f"thing {row}" for row in range(ROWS)],
            "price": random.lognormal(3, 1, ROWS),
            "category": random.choice(["sofas", "lamps", "beds"], ROWS),
            "text": ["made here"] * ROWS,
        }
    )


DAMAGES: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str, str]] = {
    "cents": (lambda one: one.with_columns(pl.col("price") * 100), "items.price", "lies beyond"),
    "emptied": (
        lambda one: one.with_columns(pl.when(pl.col("price") > 20).then("price").alias("price")),
        "items.price", "is empty in",
    ),
    "gone": (lambda one: one.drop("category"), "items.category", "has no column category"),
    "typed": (lambda one: one.with_columns(pl.col("price").cast(pl.String)), "items.price", "is of type String"),
    "moved": (lambda one: one.with_columns(category=pl.lit("rugs")), "items.category", "'rugs' in 100%, 0% before"),
    "half": (lambda one: one.head(ROWS // 2), "items", "has 200 rows where 400 trained"),
    "doubled": (lambda one: pl.concat([one] * 5), "items", "has 2,000 rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_named(name: str) -> None:
    damage, where, what = DAMAGES[name]
    found = list(compare_tables(ChecksConfig(), "items", damage(items()), items(1)))
    assert [fault.where for fault in found] == [where]
    assert what in found[0].sentence and where.split(".")[-1] in found[0].sentence


def test_another_draw_and_more_columns_pass() -> None:
    for seed in range(20):
        now = items(seed).with_columns(new=pl.lit(1), text=pl.lit("another template"))
        assert not list(compare_tables(ChecksConfig(), "items", now, items(99)))


def test_purchases_that_end_earlier_are_an_old_file() -> None:
    then = pl.DataFrame({"timestamp": [0, 10 * 86_400]})
    now = pl.DataFrame({"timestamp": [0, 7 * 86_400]})
    (fault,) = compare_tables(ChecksConfig(), "interactions", now, then)
    assert "ends 3.0 days before" in fault.sentence
    assert not list(compare_tables(ChecksConfig(most_days_back=4), "interactions", now, then))
