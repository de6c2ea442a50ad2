"""What holds for every click model, and the network against all that could have happened, one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clicks.simulated import simulate
from tfrec.clicks import MODELS, Lists, choose_model
from tfrec.clicks.dynamic import _Counts, _expect, _State


def lists_of(rows: list[list[tuple[int, bool]]], pairs: int = 6) -> Lists:
    """Lists of (pair, clicked), top first."""
    flat = [row for one in rows for row in one]
    lengths = [len(one) for one in rows]
    return Lists(
        np.array([pair for pair, _ in flat], np.int32),
        np.array([place for length in lengths for place in range(length)], np.int16),
        np.array([clicked for _, clicked in flat], bool),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.ones(len(rows)),
        pairs,
    )


_LISTS = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=4, unique_by=lambda row: row[0]),
    min_size=2,
    max_size=12,
)


@pytest.mark.parametrize("name", list(MODELS))
@given(rows=_LISTS, random=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_of_lists_is_nothing_to_a_model(name: str, rows: list, random) -> None:
    shuffled = random.sample(rows, len(rows))
    one, other = MODELS[name].fit(lists_of(rows)), MODELS[name].fit(lists_of(shuffled))
    np.testing.assert_allclose(one.attractiveness, other.attractiveness, atol=1e-6)
    np.testing.assert_allclose(one.trials, other.trials, atol=1e-6)


@pytest.mark.parametrize("name", list(MODELS))
@given(rows=_LISTS)
@settings(max_examples=15, deadline=None)
def test_a_weight_of_two_is_the_list_twice(name: str, rows: list) -> None:
    twice = lists_of(rows + rows)
    once = lists_of(rows)
    heavy = Lists(once.pair, once.position, once.clicked, once.start, once.weight * 2, once.pairs)
    one, other = MODELS[name].fit(twice), MODELS[name].fit(heavy)
    np.testing.assert_allclose(one.attractiveness, other.attractiveness, atol=1e-6)


@pytest.mark.parametrize("name", list(MODELS))
@given(rows=_LISTS)
@settings(max_examples=15, deadline=None)
def test_chances_and_confidences_are_shares(name: str, rows: list) -> None:
    lists = lists_of(rows)
    fitted = MODELS[name].fit(lists)
    assert ((fitted.attractiveness > 0) & (fitted.attractiveness < 1)).all()
    assert ((fitted.confidence >= 0) & (fitted.confidence < 1)).all()
    likelihood = MODELS[name].log_likelihood(fitted, lists)
    assert likelihood.shape == lists.pair.shape
    assert ((likelihood < 0) & np.isfinite(likelihood)).all()


@pytest.mark.parametrize("name", list(MODELS))
def test_all_counts_doubled_leave_the_rates_and_raise_the_confidence(name: str) -> None:
    lists = simulate("pbm", searches=3_000).lists
    doubled = Lists(lists.pair, lists.position, lists.clicked, lists.start, lists.weight * 2, lists.pairs)
    one, two = MODELS[name].fit(lists), MODELS[name].fit(doubled)
    shown = one.trials > 1
    if name != "dbn":  # there, what was looked at depends on the shrunk estimates
        np.testing.assert_allclose(two.trials, 2 * one.trials, rtol=1e-9)
        np.testing.assert_allclose(two.successes, 2 * one.successes, rtol=1e-9)
    examined = [fitted.parameters.get("examination", [1.0]) for fitted in (one, two)]
    assert examined[0] == pytest.approx(examined[1], rel=1e-6)
    assert (two.confidence[shown] > one.confidence[shown]).all()
    # only the pull towards the average becomes weaker
    assert np.abs(one.attractiveness - two.attractiveness)[one.confidence > 0.8].max() < 0.05


def _every_story(attract: list[float], satisfy: list[float], go_on: float) -> list[tuple]:
    """(chance, clicks, looked, satisfied, (could go on, went on)) of all that can happen on one list."""
    stories = []
    length = len(attract)
    for wanted, pleased, stays in itertools.product(*[list(itertools.product([0, 1], repeat=length))] * 3):
        chance, alive = 1.0, True
        clicks, looked, satisfied, could, went = [0] * length, [0] * length, [0] * length, 0, 0
        for place in range(length):
            for happened, likely in ((wanted, attract[place]), (pleased, satisfy[place]), (stays, go_on)):
                chance *= likely if happened[place] else 1.0 - likely
            if not alive:
                continue
            looked[place], clicks[place] = 1, wanted[place]
            satisfied[place] = int(wanted[place] and pleased[place])
            alive = not satisfied[place]
            if alive and place + 1 < length:
                could += 1
                went += stays[place]
                alive = bool(stays[place])
        stories.append((chance, tuple(clicks), looked, satisfied, (could, went)))
    return stories


@pytest.mark.parametrize("clicks", list(itertools.product([False, True], repeat=3)))
def test_the_network_counts_what_all_stories_together_tell(clicks: tuple[bool, ...]) -> None:
    attract, satisfy, go_on = [0.3, 0.6, 0.2], [0.5, 0.1, 0.7], 0.8
    stories = [story for story in _every_story(attract, satisfy, go_on) if story[1] == clicks]
    total = sum(story[0] for story in stories)
    # a shorter list beside it: what lies below its end must not count
    lists = lists_of([list(enumerate(clicks)), [(3, False)]], pairs=4)
    state = _State(np.array([*attract, 0.5]), np.array([*satisfy, 0.5]), go_on)
    counts = _Counts.zero(4)
    for block in lists.blocks():
        _expect(block, state, counts)
    for place in range(3):
        looked = sum(story[0] * story[2][place] for story in stories) / total
        satisfied = sum(story[0] * story[3][place] for story in stories) / total
        assert counts.looked[place] == pytest.approx(looked)
        assert counts.satisfied[place] == pytest.approx(satisfied)
    assert counts.looked[3] == pytest.approx(1.0)
    assert counts.could_go_on == pytest.approx(sum(story[0] * story[4][0] for story in stories) / total)
    assert counts.went_on == pytest.approx(sum(story[0] * story[4][1] for story in stories) / total)


def test_the_networks_likelihood_is_the_chance_of_the_clicks() -> None:
    model = MODELS["dbn"]
    rows = [list(enumerate(clicks)) for clicks in itertools.product([False, True], repeat=3)]
    lists = lists_of(rows, pairs=3)
    fitted = model.fit(lists_of(rows * 4, pairs=3))
    by_list = np.add.reduceat(model.log_likelihood(fitted, lists), lists.start[:-1])
    attract, satisfy = fitted.attractiveness.tolist(), fitted.arrays["satisfaction"].tolist()
    stories = _every_story(attract, satisfy, fitted.parameters["continuation"])
    for clicks, found in zip(itertools.product([False, True], repeat=3), by_list, strict=True):
        chance = sum(story[0] for story in stories if story[1] == tuple(map(int, clicks)))
        assert np.exp(found) == pytest.approx(chance)


def test_lists_too_old_to_count_choose_no_model() -> None:
    lists = lists_of([[(0, True), (1, False)]] * 40)
    old = Lists(lists.pair, lists.position, lists.clicked, lists.start, np.zeros(lists.size), lists.pairs)
    assert choose_model(old).fitted.model == "ctr"
