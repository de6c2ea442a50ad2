"""Priors are standardised numbers in which nothing odd can rule."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval.prior import numeric_column, popularity, recency, standardised


def test_known_numbers_get_mean_0_and_variance_1_and_unknown_ones_0() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    score = standardised(values)
    assert score[4] == 0 and score.dtype == np.float32
    assert score[:4].mean() == pytest.approx(0, abs=1e-6) and score[:4].std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(standardised(values * 1e200 + 1e3), score, atol=1e-6)  # no scale is too large


def test_a_typing_error_does_not_rule() -> None:
    score = standardised(np.append(np.arange(1000.0), 1e9))
    assert score.max() == 5.0


def test_best_sellers_of_a_catalogue_that_hardly_sells_stay_apart() -> None:
    sold = popularity(np.append(np.zeros(20_000), [3, 40, 41, 5000]))
    assert (np.diff(standardised(sold, np.inf)[-5:]) > 0).all()
    assert len(np.unique(standardised(sold)[-4:])) == 1  # what the limit would make of them


@pytest.mark.parametrize("values", [np.full(3, np.nan), np.full(3, 7.0), np.array([np.inf, -np.inf])])
def test_nothing_to_tell_is_zero(values: np.ndarray) -> None:
    assert not standardised(values).any()


def test_popularity_and_recency_by_hand() -> None:
    np.testing.assert_allclose(popularity([0, 9, 99]), np.log([1, 10, 100]))
    day = 86_400
    found = recency([0, 0, 2], [0, 9 * day, 6 * day], 3)
    np.testing.assert_allclose(found[[0, 2]], [0.0, -np.log(4)])
    assert np.isnan(found[1])
    assert np.isnan(recency([], [], 2)).all()


def test_cells_that_are_no_numbers_are_unknown() -> None:
    np.testing.assert_array_equal(numeric_column(["1.5", "", "x", None, 2]), [1.5, np.nan, np.nan, np.nan, 2.0])
