"""Luck of the queries and luck of the seeds: rates of false alarm where there is no gain, and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tfrec.evaluation.significance import mean_over_seeds
from tfrec.tuner.finals import Finalist, Finals
from tfrec.tuner.luck import crossed_gain
from tfrec.tuner.results import TrialResult


def _gains(rng: np.random.Generator, queries: int, seeds: int, of_seeds: float, gain: float = 0.0) -> np.ndarray:
    by_query, by_seed = rng.normal(0, 0.1, queries), rng.normal(0, of_seeds, seeds)
    return gain + by_query[None] + by_seed[:, None] + rng.normal(0, 0.1, (seeds, queries))


@pytest.mark.parametrize(("queries", "seeds", "of_seeds"), [(21, 5, 0.01), (1000, 3, 0.01), (60, 3, 0.0)])
def test_without_a_gain_about_one_test_in_twenty_finds_one(queries: int, seeds: int, of_seeds: float) -> None:
    rng = np.random.default_rng(0)
    found = [crossed_gain(_gains(rng, queries, seeds, of_seeds)) for _ in range(600)]
    assert sum(one is not None and one.p <= 0.05 for one in found) / len(found) < 0.12
    assert sum(one is not None and one.low <= 0 <= one.high for one in found) / len(found) > 0.88


def test_a_gain_is_found() -> None:
    rng = np.random.default_rng(1)
    found = [crossed_gain(_gains(rng, 200, 5, 0.01, gain=0.05)) for _ in range(100)]
    assert sum(one is not None and one.p <= 0.05 for one in found) > 85


def test_with_one_kind_of_luck_it_is_the_t_test() -> None:
    rng = np.random.default_rng(2)
    by_query = rng.normal(0.02, 0.1, 30)
    one = crossed_gain([by_query, by_query, by_query])
    assert one is not None and one.p == pytest.approx(stats.ttest_1samp(by_query, 0).pvalue)
    by_seed = rng.normal(0.02, 0.1, 4)
    other = crossed_gain(np.repeat(by_seed[:, None], 30, axis=1).tolist())
    assert other is not None and other.p == pytest.approx(stats.ttest_1samp(by_seed, 0).pvalue)
    assert crossed_gain([by_query]) is None and crossed_gain([[0.1], [0.2]]) is None
    same = crossed_gain(np.zeros((3, 4)).tolist())
    assert same is not None and same.p == 1.0 and same.low == same.high == 0.0


def test_lucky_seeds_do_not_win() -> None:
    """Two recipes that differ in nothing but their seeds' luck: a test over many queries alone would crown one."""
    rng = np.random.default_rng(3)
    trial = TrialResult(3, {}, 0.6, 10.0, 5, 12.0, "finished")
    alone, both = 0, 0
    for _ in range(60):
        rows = list(_gains(rng, 1000, 3, 0.02))
        compared, crossed = mean_over_seeds(rows, 0, "dev score", resamples=500), crossed_gain(rows)
        alone += Finals([], [], [Finalist(trial, [0.5] * 3, compared)], 0.05).winner is not None
        both += Finals([], [], [Finalist(trial, [0.5] * 3, compared, crossed)], 0.05).winner is not None
    assert alone > 10 and both <= 4


def test_what_fails_with_a_seed_cannot_win() -> None:
    rows = [np.full(40, 0.1) + np.random.default_rng(n).normal(0, 0.01, 40) for n in range(3)]
    trial = TrialResult(3, {}, 0.6, 10.0, 5, 12.0, "finished")
    compared, crossed = mean_over_seeds(rows), crossed_gain(rows)
    assert Finalist(trial, [0.6, 0.6, 0.6], compared, crossed).wins(0.025)
    assert not Finalist(trial, [0.6, None, 0.6], compared, crossed).wins(0.025)
