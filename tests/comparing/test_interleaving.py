"""Interleaving: what the definitions say, fairness over coins, and the two hand-made examples of the papers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.running import examples
from tfrec.comparing.interleaving import (
    balanced,
    draft_propensities,
    ranks_in,
    rounds_of,
    stable_coins,
    team_draft,
)

RANKINGS = st.lists(st.integers(0, 15), max_size=10, unique=True)


def rows(*ranking: int) -> np.ndarray:
    return np.array([ranking], np.int64).reshape(1, -1)


@settings(max_examples=examples(200), deadline=None)
@given(RANKINGS, RANKINGS, st.integers(1, 14), st.integers(0, 2**32))
def test_a_draft_holds_each_item_once_and_as_many_of_either_team(
    a: list[int], b: list[int], size: int, seed: int
) -> None:
    coins = np.random.default_rng(seed).random((1, rounds_of(size))) < 0.5
    items, teams = team_draft(rows(*a), rows(*b), coins, size)
    shown = items[0][items[0] >= 0].tolist()
    assert len(set(shown)) == len(shown) == min(size, len({*a, *b}))
    assert (items[0] >= 0).tolist() == [True] * len(shown) + [False] * (size - len(shown))
    alike = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    assert teams[0, :alike].tolist() == [-1] * min(alike, size)
    for place, item in enumerate(shown):
        if teams[0, place] >= 0:  # the best of its ranking that is not above
            ranking = (a, b)[teams[0, place]]
            assert item == next(other for other in ranking if other not in shown[:place])
    if len(a) == len(b) >= size:
        assert abs(int((teams == 0).sum()) - int((teams == 1).sum())) <= 1
    turned, other = team_draft(rows(*b), rows(*a), ~coins, size)
    assert turned.tolist() == items.tolist()
    assert np.where(other >= 0, 1 - other, -1).tolist() == teams.tolist()


@settings(max_examples=examples(200), deadline=None)
@given(RANKINGS, RANKINGS, st.integers(1, 14), st.booleans())
def test_a_balanced_list_holds_the_best_of_both_at_every_depth(
    a: list[int], b: list[int], size: int, b_first: bool
) -> None:
    items = balanced(rows(*a), rows(*b), np.array([b_first]), size)[0]
    shown = items[items >= 0].tolist()
    lead, other = (b, a) if b_first else (a, b)
    wanted: list[int] = []
    for place in range(max(len(a), len(b))):
        for ranking in (lead, other):
            if place < len(ranking) and ranking[place] not in wanted:
                wanted.append(ranking[place])
    assert shown == wanted[:size]
    ranks = ranks_in(items[None], rows(*a))[0]
    assert [a[rank - 1] for rank in ranks if rank] == [item for item in shown if item in a]


def test_many_lists_at_once_are_those_of_each_alone() -> None:
    rng = np.random.default_rng(3)
    a, b = (np.argsort(rng.random((50, 12)), axis=1)[:, :8] for _ in range(2))
    coins = rng.random((50, 5)) < 0.5
    items, teams = team_draft(a, b, coins, 10)
    for row in range(50):
        alone, team = team_draft(a[row][None], b[row][None], coins[row][None], 10)
        assert alone[0].tolist() == items[row].tolist() and team[0].tolist() == teams[row].tolist()


def test_coins_are_fair_stable_and_of_their_names() -> None:
    assert (
        stable_coins("june", "s1", "sofa", count=8).tolist()
        == stable_coins("june", "s1", "sofa", count=12)[:8].tolist()
    )
    first = np.array([stable_coins("june", f"s{n}", "sofa", count=20) for n in range(2000)])
    assert abs(first.mean() - 0.5) < 0.01
    assert np.abs(first.mean(axis=0) - 0.5).max() < 0.05
    other = np.array([stable_coins("july", f"s{n}", "sofa", count=20) for n in range(2000)])
    assert abs((first == other).mean() - 0.5) < 0.01


def test_propensities_are_the_shares_of_draws() -> None:
    a, b = np.array([1, 2, 3, 4]), np.array([1, 5, 2, 6])
    rng = np.random.default_rng(0)
    coins = rng.random((4000, 2)) < 0.5
    drawn, _ = team_draft(np.tile(a, (4000, 1)), np.tile(b, (4000, 1)), coins, 4)
    chances = draft_propensities(a, b, drawn[0])
    assert chances is not None and chances[0] == 1.0
    assert chances.tolist() == pytest.approx((drawn == drawn[0]).mean(axis=0).tolist(), abs=0.03)
    assert draft_propensities(a, b, np.arange(40)) is None
