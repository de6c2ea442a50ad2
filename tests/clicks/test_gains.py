"""From attractiveness, carts and purchases to gains; priors of rare pairs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.clicks.simulated import simulate
from tfrec.clicks import MODELS, Fitted, gains_of
from tfrec.clicks.prior import Prior, fitted_prior

WEIGHTS = {"click": 1.0, "cart": 3.0, "purchase": 5.0}


def _fitted(successes: list[float], trials: list[float], prior: Prior) -> Fitted:
    some, of = np.array(successes, float), np.array(trials, float)
    return Fitted("pbm", some, of, prior.shrunk(some, of), prior)


def test_the_prior_of_simulated_rates_is_found() -> None:
    rng = np.random.default_rng(3)
    trials = rng.integers(1, 60, 5_000).astype(float)
    clicks = rng.binomial(trials.astype(int), rng.beta(2.0, 8.0, 5_000)).astype(float)
    prior = fitted_prior(clicks, trials)
    assert prior.mean == pytest.approx(0.2, abs=0.01)
    assert prior.strength == pytest.approx(10.0, rel=0.1)
    # shrunk rates are nearer to the truth than raw ones
    alike = fitted_prior(rng.binomial(20, 0.1, 3_000).astype(float), np.full(3_000, 20.0))
    assert alike.strength > 500
    assert fitted_prior(np.ones(5), np.ones(5)).strength == 20.0  # nothing shown twice tells nothing
    assert fitted_prior(np.zeros(0), np.zeros(0)).mean == 0.5


def test_a_long_tail_of_hardly_seen_pairs_hides_nothing() -> None:
    """Most pairs were shown once, far down: less than one impression that was looked at."""
    rng = np.random.default_rng(4)
    shown = np.where(rng.random(200_000) < 0.05, rng.integers(10, 200, 200_000), 1)
    looked = np.where(shown > 1, 0.5, 0.2)
    clicks = rng.binomial(shown, looked * rng.beta(2.0, 8.0, 200_000)).astype(float)
    prior = fitted_prior(clicks, shown * looked)
    assert prior.mean == pytest.approx(0.2, abs=0.01)
    assert prior.strength == pytest.approx(10.0, rel=0.25)


def test_a_rare_lucky_pair_is_not_a_querys_best() -> None:
    fitted = _fitted([1, 300, 30], [1, 1000, 1000], Prior(0.1, 20.0))
    gains = gains_of(fitted, np.zeros(3, np.int64), {}, WEIGHTS)
    assert gains.gain[1] == 1.0
    assert gains.gain[0] < 0.5
    assert gains.gain[2] < gains.gain[0]
    assert gains.confidence[0] < 0.05 < 0.95 < gains.confidence[1]


def test_bought_after_as_many_clicks_is_worth_more() -> None:
    fitted = _fitted([100, 100, 100], [1000, 1000, 1000], Prior(0.1, 20.0))
    query = np.zeros(3, np.int64)
    none = gains_of(fitted, query, {}, WEIGHTS).gain
    assert none.tolist() == [1.0, 1.0, 1.0]
    carts, bought = np.array([0.0, 40.0, 40.0]), np.array([0.0, 0.0, 20.0])
    found = gains_of(fitted, query, {"cart": carts, "purchase": bought}, WEIGHTS).gain
    assert found[0] < found[1] < found[2] == 1.0
    deaf = gains_of(fitted, query, {"cart": carts, "purchase": bought}, {**WEIGHTS, "cart": 0, "purchase": 0})
    assert deaf.gain.tolist() == [1.0, 1.0, 1.0]


def test_the_best_of_a_query_that_nothing_answers_is_not_good() -> None:
    fitted = _fitted([100, 20, 2, 1], [500, 500, 500, 500], Prior(0.06, 20.0))
    gains = gains_of(fitted, np.array([0, 0, 1, 1]), {}, WEIGHTS).gain
    assert gains[0] == 1.0
    assert gains[2] < 0.15 and gains[3] < gains[2]


@pytest.mark.parametrize("name", list(MODELS))
def test_gains_do_not_grow_with_the_traffic(name: str) -> None:
    """The same lists of twice as many shoppers: only the pull of the prior lessens."""
    made = simulate("pbm")
    twice = made.lists.of(np.ones(made.lists.size, bool))
    object.__setattr__(twice, "weight", twice.weight * 2)
    one, two = (gains_of(MODELS[name].fit(lists), made.query, {}, WEIGHTS) for lists in (made.lists, twice))
    sure = one.confidence > 0.9
    assert np.abs(one.gain - two.gain)[sure].max() < 0.1
    assert np.corrcoef(one.gain, two.gain)[0, 1] > 0.99
