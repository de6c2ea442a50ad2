"""Tests and confidence sequences: false alarms where there is nothing, power where there is, and the known formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.comparing.shoppers import traffic
from tfrec.comparing.fixed import of_groups, of_pairs, ratio_mismatch, signs, with_covariate
from tfrec.comparing.planning import needed, watching_factor
from tfrec.comparing.sequential import SILENT, sequence_of_groups, sequence_of_pairs

SIMULATIONS, SESSIONS = 1_000, 250
EXPECTED = (0.03, 0.07)  # what 1,000 draws of a chance of 5 % keep to, but for one in 400


def alarms(values: np.ndarray, of_b: np.ndarray | None = None) -> float:
    """Share of rows in which the fixed test alarms."""
    if of_b is None:
        return float(np.mean([of_pairs(row).p < 0.05 for row in values]))
    return float(np.mean([of_groups(row[~b], row[b]).p < 0.05 for row, b in zip(values, of_b, strict=True)]))


def test_equal_versions_alarm_in_five_of_a_hundred_and_watched_ones_in_fewer() -> None:
    """1,000 experiments each, of simulated shoppers who are shown the same by both."""
    rng = np.random.default_rng(0)
    shop, better = traffic(8_000)
    pool = shop.grouped(shop.shown, "click", rng)
    values = pool[rng.integers(len(pool), size=(SIMULATIONS, SESSIONS))]
    of_b = rng.random(values.shape) < 0.5
    assert EXPECTED[0] < alarms(values, of_b) < EXPECTED[1]
    assert (sequence_of_groups(values, of_b, planned=SESSIONS).decided > 0).mean() < 0.05
    # interleaving: the clicks follow taste, and coins alone decide whose they are
    pool = shop.preferences(better, "click", rng)
    values = pool[rng.integers(len(pool), size=values.shape)] * np.where(rng.random(values.shape) < 0.5, 1, -1)
    assert EXPECTED[0] < alarms(values) < EXPECTED[1]
    assert (sequence_of_pairs(values, planned=SESSIONS).decided > 0).mean() < 0.05
    # what the sequence is for: a fixed test that is looked at all the time alarms far more often
    running = np.cumsum(values, 1) / np.sqrt(np.maximum(np.cumsum(values**2, 1), 1e-9))
    assert (np.abs(running[:, SILENT:]).max(axis=1) > 1.96).mean() > 0.15


def test_two_rankers_that_show_the_same_items_are_not_told_apart_by_interleaving() -> None:
    shop, _ = traffic(4_000)
    assert not shop.preferences(shop.shown, "click", np.random.default_rng(1)).any()


def test_the_better_ranker_wins_and_the_planned_number_has_the_planned_power() -> None:
    shop, better = traffic(20_000)
    rng = np.random.default_rng(2)
    plan = needed(shop, better, "click", 0.05, 0.8, rng, 0.0, 1.0)
    assert plan.interleaving is not None and plan.ab is not None
    assert plan.interleaving * 10 <= plan.ab
    pool = shop.preferences(better, "click", rng)
    assert pool.mean() > 0
    drawn = pool[rng.integers(len(pool), size=(400, plan.interleaving))]
    assert 0.72 < alarms(drawn) < 0.88


@pytest.mark.slow
def test_groups_of_the_planned_size_have_the_planned_power() -> None:
    shop, better = traffic(40_000)
    rng = np.random.default_rng(2)
    plan = needed(shop, better, "click", 0.05, 0.8, rng, 0.0, 1.0)
    assert plan.ab is not None
    half = plan.ab // 2
    # the same luck for both pools, or their own difference would be off by chance
    a, b = (shop.grouped(pairs, "click", np.random.default_rng(5)) for pairs in (shop.shown, better))
    drawn = [
        of_groups(a[rng.integers(len(a), size=half)], b[rng.integers(len(b), size=half)]).p < 0.05 for _ in range(400)
    ]
    assert 0.72 < np.mean(drawn) < 0.88
    walks = np.concatenate([shop.preferences(better, "click", rng) for _ in range(4)])
    assert plan.interleaving is not None
    longer = int(np.ceil(plan.interleaving * watching_factor(0.05, 0.8)))
    if longer > SILENT:
        rows = walks[rng.integers(len(walks), size=(1_000, longer))]
        assert 0.66 < (sequence_of_pairs(rows, planned=plan.interleaving).decided > 0).mean() < 0.92


@pytest.mark.slow
@pytest.mark.parametrize("planned", [200, 5_000])
def test_a_sequence_of_skewed_values_keeps_its_promise(planned: int) -> None:
    rng = np.random.default_rng(5)
    values = rng.exponential(size=(SIMULATIONS, 5_000)) - 1.0
    assert (sequence_of_pairs(values, planned=planned).decided > 0).mean() < 0.07


def test_the_sequence_is_the_mixture_test_and_its_interval() -> None:
    """p falls below the level exactly where the interval leaves 0; the last width is Robbins's."""
    rng = np.random.default_rng(3)
    values = rng.normal(0.2, 1.0, 3_000)
    found = sequence_of_pairs(values, planned=1_000)
    outside = np.abs(found.mean) > found.half
    first = int(np.argmax(outside))
    assert found.p[first] < 0.05 <= found.p[first - 1]
    strong = -2 * np.log(0.05)
    rho2 = (strong + np.log(strong + 1)) / 1_000
    t, variance = 3_000, values.var()
    width = np.sqrt(variance * 2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / 0.05))
    assert found.half[-1] == pytest.approx(width)
    assert found.to_dict()["decided_after"] == first + 1
    assert sequence_of_pairs(values[: SILENT - 1]).to_dict()["difference"] is None


def test_a_covariate_from_before_takes_its_share_of_the_variance_and_no_bias() -> None:
    rng = np.random.default_rng(4)
    before = rng.normal(size=20_000)
    values = 0.8 * before + 0.6 * rng.normal(size=20_000)
    of_b = rng.random(20_000) < 0.5
    values = values + 0.05 * of_b
    adjusted, explained = with_covariate(values, before)
    assert explained == pytest.approx(0.64, abs=0.02)
    plain, better = of_groups(values[~of_b], values[of_b]), of_groups(adjusted[~of_b], adjusted[of_b])
    assert better.high - better.low == pytest.approx(0.6 * (plain.high - plain.low), rel=0.05)
    assert better.low < 0.05 < better.high
    assert with_covariate(values, np.zeros(20_000))[1] == 0.0


def test_small_and_constant_groups_say_nothing() -> None:
    assert not of_pairs(np.ones(5)).shown()
    assert of_groups(np.zeros(50), np.zeros(50)).p == 1.0
    assert not of_groups(np.arange(5.0), 100 + np.arange(5.0)).shown()
    assert signs(np.array([1.0, 0.0, -0.5, 1.0])) == (2, 1, pytest.approx(stats.binomtest(2, 3).pvalue))
    assert ratio_mismatch((5_000, 5_400)) < 0.001 < ratio_mismatch((5_000, 5_100))
