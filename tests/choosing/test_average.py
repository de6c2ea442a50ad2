"""Averages of likely settings and the pull of a prior."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.choosing.average import likelihood, likely_average, mixtures
from tfrec.choosing.shrinkage import drawn


def test_a_prior_counts_as_so_many_queries() -> None:
    assert drawn([1.0, 0.0], [0.5, 0.5], 10, 10).tolist() == [0.75, 0.25]
    assert drawn(3.0, 1.0, 0, 0) == 1.0
    assert drawn([2.0], [0.0], 1_000_000, 20) == pytest.approx([2.0], abs=1e-4)


@pytest.mark.parametrize("parts", range(1, 9))
def test_mixtures_share_one_in_every_way_and_hold_each_part_alone(parts: int) -> None:
    found = mixtures(parts)
    assert len(found) <= 300 and found.shape[1] == parts and (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert len(np.unique(found.round(9), axis=0)) == len(found)
    for alone in np.eye(parts):
        assert (found == alone).all(axis=1).any()


def test_noise_leaves_an_average_near_the_middle_where_its_best_is_anywhere() -> None:
    rng, settings = np.random.default_rng(0), mixtures(2)
    bests, averages = [], []
    for _ in range(100):
        reached = rng.normal(0, 0.2, (len(settings), 15))
        bests.append(settings[reached.mean(axis=1).argmax(), 0])
        averages.append(likely_average(settings, reached)[0])
    assert np.std(averages) < 0.4 * np.std(bests)
    assert abs(np.mean(averages) - 0.5) < 0.05


def test_many_queries_find_what_is_best_and_one_tells_nothing() -> None:
    rng, settings = np.random.default_rng(1), mixtures(2)
    truth = -((settings[:, 0] - 0.8) ** 2)
    reached = truth[:, None] + rng.normal(0, 0.05, (1, 2000)) + rng.normal(0, 0.02, (len(settings), 2000))
    assert likely_average(settings, reached)[0] == pytest.approx(0.8, abs=0.04)
    np.testing.assert_allclose(likelihood(reached[:, :1]), 1 / len(settings))


def test_the_order_of_queries_and_a_constant_on_all_settings_change_nothing() -> None:
    rng, settings = np.random.default_rng(2), mixtures(3)
    reached = rng.random((len(settings), 30))
    one = likely_average(settings, reached)
    np.testing.assert_allclose(likely_average(settings, reached[:, rng.permutation(30)]), one, atol=1e-12)
    np.testing.assert_allclose(likely_average(settings, reached + rng.random(30)), one, atol=1e-9)
