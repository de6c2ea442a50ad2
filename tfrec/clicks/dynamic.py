"""The dynamic Bayesian network: reading from the top, clicking what attracts, leaving when satisfied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrec.clicks.lists import Block, Lists, sums
from tfrec.clicks.model import ClickModel, Fitted, row_likelihood
from tfrec.clicks.prior import fitted_prior

_ROUNDS = 40
_STEP = 1e-4


class DynamicBayesianNetwork(ClickModel):
    """An item that is looked at is clicked if it attracts; a click may satisfy and end the search; without that the
    shopper goes on to the next place with the chance `continuation`, the same everywhere.

    Fitted by expectation maximisation. Attractiveness and satisfaction are shrunk to their priors in every round.

    Source: Chapelle and Zhang 2009, A Dynamic Bayesian Network Click Model for Web Search Ranking; expectations as in
    Chuklin, Markov and de Rijke 2015, Click Models for Web Search, 4.3.
    """

    name = "dbn"

    def fit(self, lists: Lists) -> Fitted:
        state = _State(np.full(lists.pairs, 0.2), np.full(lists.pairs, 0.5), 0.9)
        for _ in range(_ROUNDS):
            counts = _Counts.zero(lists.pairs)
            for block in lists.blocks():
                _expect(block, state, counts)
            attracts = fitted_prior(counts.clicks, counts.looked)
            satisfies = fitted_prior(counts.satisfied, counts.clicks)
            after = _State(
                attracts.shrunk(counts.clicks, counts.looked),
                satisfies.shrunk(counts.satisfied, counts.clicks),
                float(np.clip(counts.went_on / max(counts.could_go_on, 1e-9), 0.01, 0.999)),
            )
            step = max(abs(after.continuation - state.continuation), abs(_level(after, counts) - _level(state, counts)))
            state = after
            if step < _STEP:
                break
        return Fitted(
            self.name, counts.clicks, counts.looked, state.attractiveness, attracts,
            {"continuation": state.continuation, "satisfaction": satisfies.mean},
            {"satisfaction": state.satisfaction},
        )  # fmt: skip

    def log_likelihood(self, fitted: Fitted, lists: Lists) -> NDArray[np.float64]:
        state = _State(fitted.attractiveness, fitted.arrays["satisfaction"], fitted.parameters["continuation"])
        rows = []
        for block in lists.blocks():
            attract, satisfy = state.attractiveness[block.pair], state.satisfaction[block.pair]
            chance = np.zeros(attract.shape)
            looked = np.ones(len(attract))  # given the clicks above
            for place in range(attract.shape[1]):
                chance[:, place] = looked * attract[:, place]
                on_click = state.continuation * (1.0 - satisfy[:, place])
                missed = looked * (1.0 - attract[:, place]) / np.maximum(1.0 - chance[:, place], 1e-9)
                looked = np.where(block.clicked[:, place], on_click, missed * state.continuation)
            rows.append(row_likelihood(chance, block.clicked)[block.there])
        return np.concatenate(rows) if rows else np.zeros(0)


@dataclass(frozen=True)
class _State:
    attractiveness: NDArray[np.float64]  # [P]
    satisfaction: NDArray[np.float64]  # [P]
    continuation: float


@dataclass
class _Counts:
    """Expected counts over all lists."""

    looked: NDArray[np.float64]  # [P]
    clicks: NDArray[np.float64]  # [P]
    satisfied: NDArray[np.float64]  # [P]
    could_go_on: float = 0.0
    went_on: float = 0.0

    @classmethod
    def zero(cls, pairs: int) -> _Counts:
        return cls(np.zeros(pairs), np.zeros(pairs), np.zeros(pairs))


def _level(state: _State, counts: _Counts) -> float:
    """The mean attractiveness over what was looked at, which tells whether rounds still change anything."""
    return float(np.average(state.attractiveness, weights=np.maximum(counts.looked, 1e-9)))


def _expect(block: Block, state: _State, counts: _Counts) -> None:
    """Adds the expectations of a block's hidden events, given its clicks, to the counts."""
    attract, satisfy = state.attractiveness[block.pair], state.satisfaction[block.pair]
    go_on, (size, width) = state.continuation, block.pair.shape
    # no_click[:, r]: chance of no click from place r on, once r is looked at; 1 below the list's end
    no_click = np.ones([size, width + 1])
    for place in range(width - 1, -1, -1):
        further = (1.0 - go_on) + go_on * no_click[:, place + 1]
        last_place = ~block.there[:, place + 1] if place + 1 < width else np.ones(size, bool)
        here = (1.0 - attract[:, place]) * np.where(last_place, 1.0, further)
        no_click[:, place] = np.where(block.there[:, place], here, 1.0)
    last = block.last_click
    places = np.arange(width)
    looked = (places <= last[:, None]).astype(np.float64)
    looked[last < 0, 0] = 1.0
    satisfied = np.zeros([size, width])
    could_go_on = went_on = 0.0
    for place in range(width):
        weight = block.weight
        below = block.there[:, place + 1] if place + 1 < width else np.zeros(size, bool)
        before, at, after = place < last, place == last, place > last
        # at the last click: satisfied, tired, or going on without another click
        tail = (1.0 - go_on) + go_on * no_click[:, place + 1]
        end = satisfy[:, place] + (1.0 - satisfy[:, place]) * np.where(below, tail, 1.0)
        satisfied[:, place] = np.where(at, satisfy[:, place] / end, 0.0)
        on_from_click = np.where(below, (1.0 - satisfy[:, place]) * go_on * no_click[:, place + 1] / end, 0.0)
        on_from_miss = np.where(below, looked[:, place] * go_on * no_click[:, place + 1] / tail, 0.0)
        onward = np.where(at, on_from_click, np.where(after, on_from_miss, 1.0))
        if place + 1 < width:
            looked[:, place + 1] = np.where(before, 1.0, onward)
        chance_to_go = np.where(at, 1.0 - satisfied[:, place], looked[:, place]) * below
        could_go_on += float((weight * np.where(before, 1.0, chance_to_go)).sum())
        went_on += float((weight * np.where(before, 1.0, onward)).sum())
    there = block.there
    pair, weights = block.pair[there], np.broadcast_to(block.weight[:, None], there.shape)[there]
    size_of = len(counts.looked)
    counts.looked += sums(pair, weights * looked[there], size_of)
    counts.clicks += sums(pair, weights * block.clicked[there], size_of)
    counts.satisfied += sums(pair, weights * satisfied[there], size_of)
    counts.could_go_on += could_go_on
    counts.went_on += went_on
