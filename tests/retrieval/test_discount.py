"""Bestsellers held back."""

from __future__ import annotations

import numpy as np

from tfrec.retrieval.discount import discount_bestsellers
from tfrec.retrieval.item_weights import ItemWeights

WEIGHTS = ItemWeights(3, np.array([0, 2, 3, 3]), np.array([1, 2, 0], np.int32), np.array([0.6, -0.5, 0.4], np.float32))
SOLD = [8, 99, 3]


def test_each_column_is_divided_by_a_power_of_its_sales() -> None:
    held = discount_bestsellers(WEIGHTS, SOLD, 0.5).matrix().toarray()
    np.testing.assert_allclose(held, [[0, 0.06, -0.25], [0.4 / 3, 0, 0], [0, 0, 0]], rtol=1e-6)


def test_nothing_is_held_back_by_default() -> None:
    assert discount_bestsellers(WEIGHTS, SOLD, 0.0) is WEIGHTS


def test_equal_sales_keep_every_order() -> None:
    before, after = WEIGHTS.matrix().toarray(), discount_bestsellers(WEIGHTS, [7, 7, 7], 0.3).matrix().toarray()
    np.testing.assert_allclose(after, before * 8**-0.3, rtol=1e-6)
