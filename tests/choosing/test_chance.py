"""A default is left for a gain beyond chance: noise does not move it, a true gain does."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.choosing.chance import LEAST_QUERIES, beyond_chance
from tfrec.choosing.resampling import bootstrap_interval, sign_flip_p


@pytest.mark.parametrize("queries", [10, 40, 300])
def test_the_best_of_many_noisy_alternatives_seldom_moves_a_default(queries: int) -> None:
    rng, moved, fooled = np.random.default_rng(queries), 0, 0
    for _ in range(200):
        table = rng.normal(0, 0.2, (20, queries))
        best = table[table.mean(axis=1).argmax()]
        moved += beyond_chance(best, alternatives=len(table))
        fooled += best.mean() > 0
    assert fooled > 190, "the best of twenty nearly always looks better"
    assert moved <= 20  # at a level of 5 % about 10 of 200; 21 would come once in 1,000


@pytest.mark.parametrize(("queries", "gain"), [(40, 0.15), (300, 0.06)])
def test_a_true_gain_is_taken(queries: int, gain: float) -> None:
    rng = np.random.default_rng(7)
    taken = [beyond_chance(rng.normal(gain, 0.15, queries), alternatives=8) for _ in range(50)]
    assert np.mean(taken) > 0.9


def test_few_queries_say_nothing_however_clear_they_look() -> None:
    for queries in range(LEAST_QUERIES):
        assert not beyond_chance(np.full(queries, 0.5))
    assert beyond_chance(np.full(LEAST_QUERIES, 0.5))
    assert not beyond_chance()


def test_every_task_counts_by_its_mean_whatever_its_size() -> None:
    rng = np.random.default_rng(1)
    many, few = rng.normal(0.02, 0.05, 2000), rng.normal(-0.3, 0.1, 30)
    assert beyond_chance(many) and not beyond_chance(many, few)
    assert beyond_chance(many, -few)


def test_the_order_changes_nothing_and_ties_are_no_gain() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.05, 0.2, 60)
    p = [sign_flip_p(rng.permutation(values), 999, np.random.default_rng(4)) for _ in range(5)]
    assert len(set(p)) == 1
    ends = {bootstrap_interval(rng.permutation(values), 999, np.random.default_rng(4)) for _ in range(5)}
    assert len(ends) == 1
    assert not beyond_chance(np.zeros(50))


def test_one_sided_and_two_sided_tests_by_hand() -> None:
    rng = np.random.default_rng(0)
    assert sign_flip_p([1, 2, 3], 99, rng) == 2 / 8
    assert sign_flip_p([1, 2, 3], 99, rng, two_sided=False) == 1 / 8
    assert sign_flip_p([-1, -2, -3], 99, rng, two_sided=False) == 1
    assert sign_flip_p([1, 2, -3], 99, rng, two_sided=False) == 5 / 8  # of 0, 4 (twice over) and more


@pytest.mark.parametrize(("queries", "others"), [(12, 12), (40, 40), (100, 25)])
def test_an_interval_for_other_queries_holds_their_mean(queries: int, others: int) -> None:
    rng, plain, wide = np.random.default_rng(queries), 0, 0
    for _ in range(300):
        here, there = rng.beta(0.7, 0.5, queries), rng.beta(0.7, 0.5, others).mean()
        low, high = bootstrap_interval(here, 500, np.random.default_rng(1))
        plain += low <= there <= high
        low, high = bootstrap_interval(here, 500, np.random.default_rng(1), others=others)
        wide += low <= there <= high
    assert wide >= 270, "nine in ten at least"
    assert plain < wide - 10, "the interval of the population's mean is narrower than another sample's mean varies"
