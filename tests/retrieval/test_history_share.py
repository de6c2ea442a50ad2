"""How much a history changes the weights of search: chosen by searches that it surely helps, else not at all."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.running import examples
from tfrec.retrieval.evidence import Evidence
from tfrec.retrieval.history_share import chosen_share
from tfrec.retrieval.pool import Pool


def _pool(words: NDArray[np.float64], past: NDArray[np.float64], right: NDArray[np.int64]) -> Pool:
    """Scores [Q, P] of two scorers, and which candidate is right."""
    count, width = words.shape
    gains = np.zeros([count, width], np.float32)
    gains[np.arange(count), right] = 1.0
    parts = np.stack([words, past], axis=2).astype(np.float32)
    items = np.tile(np.arange(width, dtype=np.int32), [count, 1])
    nothing = np.zeros([count, 3], np.float32)
    keys = [str(row) for row in range(count)]
    return Pool(items, parts, gains, [np.ones(1, np.float32)] * count, nothing, nothing, keys)


def _weights(share: float) -> NDArray[np.float64]:
    return np.array([1.0 - share, share])


@pytest.mark.parametrize("count", [12, 300])
def test_a_history_that_tells_gets_a_share_and_one_that_does_not_gets_none(count: int) -> None:
    rng = np.random.default_rng(5)
    right = rng.integers(0, 30, count)
    words, noise = rng.normal(size=(count, 30)), rng.normal(size=(count, 30))
    words[np.arange(count), right] += 1.0
    knows = noise.copy()
    knows[np.arange(count), right] += 3.0
    found = chosen_share(Evidence(_pool(words, knows, right), 1), _weights, 50)
    assert found["share"] > (0.25 if count > 100 else 0.0) and found["requests"] == count
    assert count < 100 or found["held_out"] > found["without"] + 0.1
    assert f"{count} shoppers' searches" in found["told"]
    none = chosen_share(Evidence(_pool(words, noise, right), 1), _weights, 50)
    assert none["share"] == 0.0 and none["held_out"] == pytest.approx(none["without"], abs=0.02)


def test_few_searches_move_it_less_than_many() -> None:
    rng = np.random.default_rng(7)
    shares = []
    for count in (20, 400):
        right = rng.integers(0, 20, count)
        words, past = rng.normal(size=(count, 20)), rng.normal(size=(count, 20))
        past[np.arange(count), right] += 4.0
        shares.append(chosen_share(Evidence(_pool(words, past, right), 1), _weights, 50)["share"])
    assert 0 < shares[0] < shares[1]


def test_noise_hardly_ever_gets_a_share() -> None:
    tried = examples(40)
    taken = 0
    for seed in range(tried):
        rng = np.random.default_rng(seed)
        right, words, past = rng.integers(0, 20, 60), rng.normal(size=(60, 20)), rng.normal(size=(60, 20))
        words[np.arange(60), right] += 1.5
        taken += chosen_share(Evidence(_pool(words, past, right), 1), _weights, 50)["share"] > 0
    assert taken <= max(1, tried // 8)
