"""Conditions on columns against plain Python, and every way they can be wrong."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.errors import ConfigError
from tfrec.retrieval.filters import ColumnFilters, filter_columns
from tfrec.tensorflow_setup import tf

CATEGORY = ["Shoes", "shoes ", "bags", "", "GRÜN", "bags"]
PRICE: list[Any] = [10.0, 25.5, None, 25.5, float("nan"), 99.0]
STOCK = ["1", "0", "1", "", "1", "1"]


@pytest.fixture(scope="module")
def filters() -> ColumnFilters:
    return ColumnFilters({"category": CATEGORY, "price": PRICE, "in_stock": STOCK}, 6)


@pytest.fixture(scope="module")
def graph(filters: ColumnFilters) -> Any:
    """The filters as an export has them."""
    return tf.function(filters, input_signature=[tf.TensorSpec([None, None], tf.string)])


def found(filters: ColumnFilters, *conditions: str) -> list[int]:
    mask = filters(tf.constant([list(conditions)], tf.string, shape=[1, len(conditions)])).numpy()
    assert mask.shape == (1, 6) and mask.dtype == bool
    return np.flatnonzero(mask[0]).tolist()


@pytest.mark.parametrize(
    ("conditions", "items"),
    [
        ((), [0, 1, 2, 3, 4, 5]),
        (("", "  "), [0, 1, 2, 3, 4, 5]),
        (("category=shoes",), [0, 1]),
        ((" category = SHOES ",), [0, 1]),
        (("category=shoes", "category=bags"), [0, 1, 2, 5]),
        (("category=grün",), [4]),
        (("category=",), [3]),
        (("category=hats",), []),
        (("category=hats", "category=bags"), [2, 5]),
        (("price<=25.5",), [0, 1, 3]),
        (("price>=25.5",), [1, 3, 5]),
        (("price>=11", "price<=30"), [1, 3]),
        (("price>=11", "price>=26"), [5]),
        (("price>=30", "price<=11"), []),
        (("price=25.50",), [1, 3]),
        (("price=10", "price=99"), [0, 5]),
        (("price=11",), []),
        (("in_stock=1", "category=bags", "price>=0"), [5]),
    ],
)
def test_conditions_find_what_they_say(filters: ColumnFilters, conditions: tuple[str, ...], items: list[int]) -> None:
    assert found(filters, *conditions) == items
    assert found(filters, *reversed(conditions), "") == items


def test_rows_of_a_batch_do_not_mix(filters: ColumnFilters) -> None:
    rows = [["category=bags", "price<=100"], ["", ""], ["in_stock=0", ""], ["price>=20", "category=shoes"]]
    together = filters(tf.constant(rows)).numpy()
    for row, mask in zip(rows, together, strict=True):
        assert np.flatnonzero(mask).tolist() == found(filters, *row)
    assert filters(tf.zeros([0, 2], tf.string)).shape == (0, 6)
    assert filters(tf.zeros([2, 0], tf.string)).numpy().all()


def test_every_pair_of_conditions_is_as_in_python(filters: ColumnFilters) -> None:
    category = [value.strip().lower() for value in CATEGORY]
    price = [np.nan if value is None else value for value in PRICE]
    tests = {
        "category=shoes": [c == "shoes" for c in category],
        "price<=25.5": [p <= 25.5 for p in price],
        "price>=25.5": [p >= 25.5 for p in price],
        "in_stock=1": [s == "1" for s in STOCK],
    }
    for first, second in itertools.combinations(tests, 2):
        assert found(filters, first, second) == np.flatnonzero(np.logical_and(tests[first], tests[second])).tolist()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("shoes", "must read column=value"),
        ("=shoes", "must read column=value"),
        ("colour=red", "category, price, in_stock"),
        ("category<=b", "can only be asked for with ="),
        *[
            (f"price{text}", "the column price holds numbers, such as 1234.50; these are none:.*")
            for text in (
                ">=cheap",
                "<=",
                "=",
                ">= ",
                "<=1,5",
                "<=nan",
                ">=-inf",
                "=infinity",
                "<=0x10",
                "<=1e",
                "<=1e999",
                "=1_0",
            )
        ],
    ],
)
def test_a_wrong_condition_is_an_invalid_argument(graph: Any, condition: str, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        graph(tf.constant([[condition]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        graph(tf.constant([["", ""], ["category=bags", condition]]))


def test_without_columns_only_blank_conditions_pass() -> None:
    filters = ColumnFilters({}, 3)
    assert filters(tf.constant([["", ""]])).numpy().tolist() == [[True] * 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="configure retrieval.filters"):
        filters(tf.constant([["price<=3"]]))


def test_a_column_that_is_not_there_names_the_nearest() -> None:
    items = pl.DataFrame({"item_id": ["a"], "price": [1.0]})
    assert filter_columns(items, ["price"]) == {"price": [1.0]}
    with pytest.raises(ConfigError, match="no column 'prise'; the nearest is 'price'"):
        filter_columns(items, ["prise"])
    with pytest.raises(ConfigError, match="2 values for 3 items"):
        ColumnFilters({"a": ["x", "y"]}, 3)
