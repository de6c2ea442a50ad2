"""Paired tests: power on a true difference, honesty on none, agreement with scipy."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tfrec.errors import EvaluationError
from tfrec.evaluation.significance import compare, format_p, mean_over_seeds


def test_identical_arrays_show_nothing_and_warn_about_nothing():
    values = np.random.default_rng(0).random(40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = compare(values, values.copy(), metric="nDCG@10")
    assert (outcome.difference, outcome.low, outcome.high) == (0, 0, 0)
    assert outcome.p_permutation == outcome.p_t_test == 1
    assert not outcome.shown and outcome.sentence().startswith("no difference shown: +0.000 nDCG@10")


def test_a_true_difference_is_found():
    rng = np.random.default_rng(1)
    base = rng.random(100)
    outcome = compare(base + 0.05 + rng.normal(0, 0.1, 100), base, metric="nDCG@10")
    assert outcome.shown and outcome.low < 0.05 < outcome.high
    assert outcome.p_permutation < 0.001 and outcome.p_t_test < 0.001
    assert outcome.sentence().startswith("+0.0") and outcome.sentence().endswith("p < 0.001)")
    assert outcome.better + outcome.worse == outcome.queries == 100


def test_pairing_is_used():
    # The same numbers, but paired with other queries: the difference drowns in the spread between queries.
    rng = np.random.default_rng(2)
    base = rng.random(60)
    better = base + 0.03 + rng.normal(0, 0.01, 60)
    assert compare(better, base).p_permutation < 0.001
    assert compare(rng.permutation(better), base).p_permutation > 0.05


def test_agrees_with_scipy():
    rng = np.random.default_rng(3)
    a, b = rng.random(50), rng.random(50) + 0.05
    outcome = compare(a, b)
    assert outcome.p_t_test == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)
    flips = stats.permutation_test((a, b), lambda x, y, axis: (x - y).mean(axis=axis), permutation_type="samples",
                                   n_resamples=20_000, vectorized=True, rng=np.random.default_rng(0))  # fmt: skip
    assert outcome.p_permutation == pytest.approx(flips.pvalue, abs=0.02)
    plain = stats.bootstrap((a - b,), np.mean, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    assert outcome.low == pytest.approx(plain.low, abs=0.01) and outcome.high == pytest.approx(plain.high, abs=0.01)


def test_few_queries_are_tested_exactly():
    # Of the 2^4 sign patterns only all-plus and all-minus reach the observed mean: p = 2 / 16.
    assert compare([1, 2, 3, 4], [0, 0, 0, 0]).p_permutation == 2 / 16
    # Zeros carry no sign: p = 2 / 4 however many are added.
    assert compare([1, 2, 0, 0, 0], np.zeros(5)).p_permutation == 2 / 4


def test_rounding_does_not_break_exact_ties():
    rng = np.random.default_rng(8)
    for count in range(2, 14):
        for _ in range(20):
            assert compare(rng.random(count) + 0.01, np.zeros(count)).p_permutation == 2 / 2**count


def test_a_sampled_p_is_never_zero():
    assert compare(np.linspace(1, 2, 200), np.zeros(200)).p_permutation == pytest.approx(1 / 10_001)
    assert compare(np.linspace(1, 2, 200), np.zeros(200), resamples=99).p_permutation == 1 / 100


def test_the_interval_is_wider_for_few_queries():
    # Theory for 21 normal values: t(20) / z * sqrt(21 / 20) = 1.09 times the plain percentile interval.
    ratios = []
    for seed in range(8):
        values = np.random.default_rng(seed).normal(0, 1, 21)
        means = values[np.random.default_rng(99).integers(0, 21, (50_000, 21))].mean(axis=1)
        outcome = compare(values, np.zeros(21), seed=seed)
        ratios.append((outcome.high - outcome.low) / np.diff(np.quantile(means, [0.025, 0.975]))[0])
    assert 1.068 < np.mean(ratios) < 1.10


@pytest.mark.parametrize("queries", [21, 100])
def test_p_is_uniform_and_the_interval_covers_when_nothing_differs(queries):
    rng = np.random.default_rng(4)
    outcomes = []
    for trial in range(200):
        base = rng.beta(2, 2, queries)
        outcomes.append(compare(base + rng.normal(0, 0.2, queries), base, seed=trial, resamples=2000))
    p_values = [outcome.p_permutation for outcome in outcomes]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    # 95 % intervals: of 200 about 10 miss; 21 or more would happen by chance once in 1,500 runs.
    assert sum(outcome.shown for outcome in outcomes) <= 20


def test_swapping_the_systems_mirrors_the_outcome_and_the_order_of_queries_is_free():
    rng = np.random.default_rng(5)
    a, b = rng.random(30), rng.random(30)
    one, other = compare(a, b), compare(b, a)
    assert one.difference == -other.difference
    assert one.low == pytest.approx(-other.high, abs=0.01)
    assert one.p_permutation == pytest.approx(other.p_permutation, abs=0.02)
    order = rng.permutation(30)
    shuffled = compare(a[order], b[order])
    assert shuffled.difference == pytest.approx(one.difference)
    assert shuffled.p_permutation == pytest.approx(one.p_permutation, abs=0.02)


def test_same_seed_same_answer():
    rng = np.random.default_rng(6)
    a, b = rng.random(40), rng.random(40)
    assert compare(a, b, seed=7) == compare(a, b, seed=7)
    assert compare(a, b, seed=7).low != compare(a, b, seed=8).low


def test_undefined_queries_are_left_out_in_pairs():
    outcome = compare([1.0, np.nan, 0.5, 0.2], [0.5, 0.1, np.nan, 0.1])
    assert outcome.queries == 2 and outcome.difference == pytest.approx(0.3)


def test_one_query_has_no_interval():
    outcome = compare([0.5], [0.25], metric="MRR")
    assert np.isnan(outcome.low) and not outcome.shown
    assert outcome.to_dict()["low"] is None
    assert outcome.sentence() == "too few queries to tell (1 of at least 10): +0.250 MRR"


def test_two_queries_are_no_difference_whatever_their_interval_is():
    outcome = compare([0.888, 0.969], [0.5, 0.4], metric="nDCG@10")
    assert outcome.low > 0.3 and outcome.p_permutation == 0.5  # an interval of two values alone would claim it
    assert not outcome.shown and not outcome.enough
    assert outcome.sentence() == "too few queries to tell (2 of at least 10): +0.478 nDCG@10"
    assert outcome.to_dict()["enough"] is False


@pytest.mark.parametrize("queries", range(2, 30))
def test_no_number_of_queries_claims_more_than_its_exact_test_allows(queries):
    gains = np.linspace(0.2, 0.4, queries)
    outcome = compare(gains, np.zeros(queries))
    assert outcome.shown == (queries >= 10)
    half = compare(np.where(np.arange(queries) < 4, gains, 0.0), np.zeros(queries))
    assert not half.shown, "four queries that differ have p = 2 / 16 at best"


def test_the_order_of_queries_changes_nothing_at_all():
    rng = np.random.default_rng(12)
    a, b, order = rng.random(40), rng.random(40), rng.permutation(40)
    assert compare(a, b) == replace(compare(a[order], b[order]), difference=compare(a, b).difference)


def test_a_constant_difference():
    outcome = compare(np.full(30, 0.75), np.full(30, 0.5))
    assert (outcome.low, outcome.high, outcome.p_t_test) == (0.25, 0.25, 0.0)
    assert outcome.shown and outcome.p_permutation < 0.001


def test_mean_over_seeds():
    rng = np.random.default_rng(7)
    truth = rng.normal(0.05, 0.1, 60)
    runs = [truth + shift + rng.normal(0, 0.02, 60) for shift in (-0.01, 0.0, 0.01)]
    outcome = mean_over_seeds(runs, metric="nDCG@10")
    assert outcome.difference == pytest.approx(np.mean(runs))
    assert outcome.seeds == 3 and outcome.queries == 60
    assert outcome.seed_deviation == pytest.approx(np.std([run.mean() for run in runs], ddof=1))
    assert "mean of 3 seeds" in outcome.sentence()
    single = mean_over_seeds(runs[:1])
    assert (single.low, single.high) == (compare(runs[0], np.zeros(60)).low, compare(runs[0], np.zeros(60)).high)


def test_sentence_and_p_formats():
    assert format_p(0.0004) == "p < 0.001" and format_p(0.024) == "p = 0.024" and format_p(0.31) == "p = 0.31"


@pytest.mark.parametrize(
    "call",
    [
        lambda: compare([1, 2], [1]),
        lambda: compare([], []),
        lambda: compare([np.nan], [1.0]),
        lambda: mean_over_seeds([]),
        lambda: mean_over_seeds([[1.0], [1.0, 2.0]]),
    ],
)
def test_bad_input_is_one_sentence(call):
    with pytest.raises(EvaluationError):
        call()
