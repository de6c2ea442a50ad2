"""Counterfactual estimates: a known truth, an interval that covers it, and no word without overlap."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.comparing.shoppers import write_events
from tests.comparing.test_attribution import read
from tfrec.comparing.counterfactual import Randomised, counterfactual
from tfrec.comparing.randomised_log import RandomisedLog, randomised_log
from tfrec.errors import DataError

ITEMS, QUERIES = 5, 6
EXAMINATION = 1.0 / np.arange(1, ITEMS + 1)


def drawn(searches: int, seed: int, skew: float = 0.0) -> tuple[RandomisedLog, np.ndarray, float]:
    """Lists in random order; what a ranking by taste shows, and what it truly earns."""
    rng = np.random.default_rng(seed)
    taste = np.random.default_rng(9).beta(1.5, 4.0, (QUERIES, ITEMS))
    query = rng.integers(QUERIES, size=searches)
    if skew:  # mostly one fixed order, sometimes any
        fixed = np.tile(np.arange(ITEMS), (searches, 1))
        order = np.where(rng.random((searches, 1)) < skew, fixed, np.argsort(rng.random((searches, ITEMS)), axis=1))
        chance = (1 - skew) / ITEMS + skew * (order == np.arange(ITEMS))
    else:
        order = np.argsort(rng.random((searches, ITEMS)), axis=1)
        chance = np.full(order.shape, 1 / ITEMS)
    reward = (rng.random(order.shape) < taste[query[:, None], order] * EXAMINATION).astype(float)
    best = np.argsort(-taste, axis=1)
    truth = float((np.take_along_axis(taste, best, 1) * EXAMINATION).sum(axis=1)[query].mean())
    log = Randomised(query, order, chance, reward, np.arange(searches) // 2)
    names = {f"P{item}": item for item in range(ITEMS)}
    return RandomisedLog(log, [f"words {n}" for n in range(QUERIES)], names), best[query], truth


@pytest.mark.parametrize("skew", [0.0, 0.5])
def test_what_was_never_shown_is_foretold_and_the_interval_covers_it(skew: float) -> None:
    covered = {"ips": 0, "snips": 0, "dr": 0}
    widths = dict.fromkeys(covered, 0.0)
    errors = dict.fromkeys(covered, 0.0)
    for seed in range(40):
        log, target, truth = drawn(1_500, seed, skew)
        found = counterfactual(log.searches, target, log.foretold(target))
        assert not found.overlap.missing and found.overlap.mean_weight == pytest.approx(1.0, abs=0.1)
        for name in covered:
            one = getattr(found, name)
            covered[name] += one.low <= truth - found.logged <= one.high
            widths[name] += one.high - one.low
            errors[name] += (one.value - truth) / 40
    assert min(covered.values()) >= 34, covered  # of 40, at 95 %
    assert max(map(abs, errors.values())) < 0.02
    assert widths["dr"] < widths["ips"] and widths["snips"] < widths["ips"] * 1.02


def test_without_overlap_it_says_no() -> None:
    log, target, _ = drawn(600, 1)
    strange = np.where(np.arange(ITEMS) == 2, 99, target)
    found = counterfactual(log.searches, strange, log.foretold(strange))
    assert found.dr is None and found.overlap.supported == pytest.approx(0.8)
    assert "20% of the ranking's places hold an item that the log never shows there" in found.overlap.missing[0]
    few, other, _ = drawn(40, 1)
    assert "effective sample size" in " ".join(counterfactual(few.searches, other, few.foretold(other)).overlap.missing)
    json.dumps(found.to_dict())


def test_the_logs_own_lists_earn_what_they_earned() -> None:
    log, _, _ = drawn(2_000, 3)
    own = Randomised(*(getattr(log.searches, name) for name in ("query", "item")), np.ones((2_000, ITEMS)),
                     log.searches.reward, log.searches.unit)  # fmt: skip
    found = counterfactual(own, own.item, log.foretold(own.item))
    assert found.ips is not None and found.ips.gain == pytest.approx(0.0) and found.ips.high == pytest.approx(0.0)


def test_an_interleaved_log_speaks_of_its_rankings_and_of_no_others(tmp_path: Path) -> None:
    write_events(tmp_path / "events.ndjson", "team_draft", 300, 0.6)
    joined = read(tmp_path / "events.ndjson")
    log = randomised_log(joined.searches, joined.actions)
    assert log.searches.propensity[log.searches.item >= 0].min() > 0
    backwards = {query: [f"P{item}" for item in range(20, 28)] for query in log.queries}
    target = log.target(backwards)
    assert counterfactual(log.searches, target, log.foretold(target)).overlap.supported == 0.0
    with pytest.raises(DataError, match="with what chance"):
        randomised_log(joined.searches.head(0), joined.actions)
