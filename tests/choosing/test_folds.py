"""Folds and what is measured over them: the order of queries is free, and nothing knows what it is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrec.choosing.crossing import out_of_folds
from tfrec.choosing.folds import deal

KEYS = st.lists(st.text(max_size=8), min_size=1, max_size=60, unique=True)


@given(KEYS, st.integers(0, 99), st.integers(1, 7), st.randoms(use_true_random=False))
def test_folds_are_even_and_follow_the_query_not_its_place(keys, seed, folds, random) -> None:
    dealt = deal(keys, seed, folds)
    sizes = np.bincount(dealt)
    assert len(sizes) == min(folds, len(keys)) and np.ptp(sizes) <= 1
    other = keys[:]
    random.shuffle(other)
    assert dict(zip(other, deal(other, seed, folds), strict=True)) == dict(zip(keys, dealt, strict=True))


def test_equal_requests_share_a_fold_and_seeds_deal_anew() -> None:
    keys = [f"query {n}" for n in range(40)]
    twice = deal([*keys, *keys], 3)
    assert (twice[:40] == twice[40:]).all()
    assert (deal(keys, 3) != deal(keys, 4)).any()


def test_what_is_judged_had_no_part_in_the_choice() -> None:
    folds = deal([f"query {n}" for n in range(23)], 1)
    seen: list[int] = []

    def judge(chosen, inside):
        assert not set(chosen) & set(inside) and len(chosen) + len(inside) == 23
        seen.extend(inside)
        return inside.astype(float)

    assert out_of_folds(folds, lambda rows: rows.tolist(), judge).tolist() == list(range(23))
    assert sorted(seen) == list(range(23))


def test_a_choice_of_the_best_flatters_itself_and_folds_do_not() -> None:
    """Thirty settings that are all noise: their best looks better than it is, out of folds it does not."""
    rng = np.random.default_rng(0)
    inside, honest = [], []
    for _ in range(200):
        table = rng.normal(0, 1, (30, 20))
        folds = np.arange(20) % 5
        inside.append(table.mean(axis=1).max())
        found = out_of_folds(
            folds,
            lambda rows, t=table: int(t[:, rows].mean(axis=1).argmax()),
            lambda best, rows, t=table: t[best, rows],
        )
        honest.append(found.mean())
    assert np.mean(inside) > 0.4
    assert np.mean(honest) == pytest.approx(0, abs=0.06)


def test_a_single_request_leaves_nobody_to_choose() -> None:
    got = out_of_folds(deal(["alone"], 0), len, lambda chosen, inside: np.full(len(inside), float(chosen)))
    assert got.tolist() == [0.0]
