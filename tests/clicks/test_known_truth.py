"""Attractiveness and habits of simulated shoppers are found again, from 200,000 impressions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.clicks.simulated import EXAMINATION, Simulated, simulate
from tfrec.clicks import MODELS, Fitted, Lists, choose_model


def _correlation(made: Simulated, fitted: Fitted) -> float:
    shown = np.bincount(made.lists.pair, minlength=made.lists.pairs) > 0
    return float(spearmanr(fitted.attractiveness[shown], made.attractiveness[shown])[0])


@pytest.mark.parametrize("right", [0.0, 1.5, -0.7], ids=["by whim", "half right", "half wrong"])
def test_a_skewed_ranker_does_not_fool_the_position_based_model(right: float) -> None:
    made = simulate("pbm", right=right)
    assert len(made.lists.pair) == 200_000
    fitted = MODELS["pbm"].fit(made.lists)
    found, naive = _correlation(made, fitted), _correlation(made, MODELS["ctr"].fit(made.lists))
    assert found >= 0.92
    assert found >= naive + (0.035 if right <= 0 else 0.01)
    examined = np.array(fitted.parameters["examination"])
    assert np.abs(examined / EXAMINATION - 1).max() <= 0.10
    # the ranker that knows what is good fools a model that takes items to be equally good at all places
    fooled = np.array(MODELS["coec"].fit(made.lists).parameters["examination"])
    if right:
        assert np.abs(fooled / EXAMINATION - 1).max() >= 0.20


@pytest.mark.parametrize("model", ["cascade", "dbn"])
def test_readers_from_the_top_are_understood(model: str) -> None:
    made = simulate(model)
    fitted = MODELS[model].fit(made.lists)
    assert _correlation(made, fitted) >= 0.92
    assert _correlation(made, fitted) >= _correlation(made, MODELS["ctr"].fit(made.lists)) + 0.08


def test_the_network_finds_how_shoppers_go_on_and_what_satisfies() -> None:
    made = simulate("dbn", continuation=0.8)
    fitted = MODELS["dbn"].fit(made.lists)
    assert fitted.parameters["continuation"] == pytest.approx(0.8, abs=0.02)
    clicked = fitted.successes > 100
    assert spearmanr(fitted.arrays["satisfaction"][clicked], made.satisfaction[clicked])[0] >= 0.8


@pytest.mark.parametrize("model", ["pbm", "cascade", "dbn"])
def test_held_out_clicks_choose_the_model_that_shoppers_follow(model: str) -> None:
    made = simulate(model, searches=8_000, right=1.5)
    choice = choose_model(made.lists, seed=3)
    assert choice.likelihood[model] == pytest.approx(max(choice.likelihood.values()), abs=2e-4)
    assert choice.likelihood[choice.fitted.model] >= choice.likelihood["ctr"] + 0.01
    assert choice.naive.model == "ctr"
    assert 1_400 < choice.held_out < 1_800


def _textbook(lists: Lists) -> np.ndarray:
    """Examination by expectation maximisation of every click (Chuklin et al. 2015, 4.3)."""
    cells, look, attract = lists.cells, np.full(lists.depth, 0.5), np.full(lists.pairs, 0.3)
    look[0] = 1.0
    shown_of_pair = np.maximum(np.bincount(cells.pair, cells.shown, lists.pairs), 1e-9)
    shown_at = np.bincount(cells.position, cells.shown, lists.depth)
    for _ in range(200):
        seen, wanted = look[cells.position], attract[cells.pair]
        missed = (cells.shown - cells.clicked) / (1.0 - np.minimum(seen * wanted, 1 - 1e-9))
        attract = np.bincount(cells.pair, cells.clicked + missed * wanted * (1 - seen), lists.pairs) / shown_of_pair
        look = np.bincount(cells.position, cells.clicked + missed * seen * (1 - wanted), lists.depth) / shown_at
        look[0] = 1.0
    return look


def test_frequent_pairs_give_what_expectation_maximisation_gives() -> None:
    lists = simulate("pbm", right=1.5).lists
    np.testing.assert_allclose(MODELS["pbm"].fit(lists).parameters["examination"], _textbook(lists), rtol=0.03)


def test_rare_pairs_do_not_bend_what_places_are_worth() -> None:
    """Queries that are searched twice each, with lists that change: each pair has one or two impressions."""
    rng = np.random.default_rng(9)
    queries, depth = 30_000, 10
    attractiveness = rng.beta(1.5, 4.0, (queries, depth))
    first = np.argsort(-(attractiveness + rng.gumbel(size=attractiveness.shape) * 0.2), axis=1)
    again = np.argsort(-(attractiveness + rng.gumbel(size=attractiveness.shape) * 0.2), axis=1)
    order = np.concatenate([first, again])
    attract = np.take_along_axis(np.concatenate([attractiveness] * 2), order, axis=1)
    clicked = (rng.random(order.shape) < attract) & (rng.random(order.shape) < EXAMINATION)
    pair = np.concatenate([np.arange(queries)] * 2)[:, None] * depth + order
    lists = Lists(
        pair.ravel().astype(np.int32), np.tile(np.arange(depth, dtype=np.int16), 2 * queries), clicked.ravel(),
        np.arange(2 * queries + 1) * depth, np.ones(2 * queries), queries * depth,
    )  # fmt: skip
    examined = np.array(MODELS["pbm"].fit(lists).parameters["examination"])
    assert np.abs(examined / EXAMINATION - 1).max() <= 0.10
    assert np.abs(_textbook(lists) / EXAMINATION - 1).max() >= 0.5
