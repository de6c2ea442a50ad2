"""Click models: what is estimated from clicks must come back to what the clicks were made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.config.synth_behaviour import ClicksConfig
from tfrec.synth.behaviour.clicks import simulate_clicks
from tfrec.synth.source import Teacher
from tfrec.synth.train_labels import TrainLabels

GAINS = {0: 1.0, 5: 0.5, 9: 1.0, 12: 0.2}


def _clicks(judged: set[int] = frozenset(), seed: int = 1, **settings: Any) -> dict[int, Any]:  # type: ignore[assignment]
    scores = np.linspace(1.0, 0.0, 30).astype(np.float32)
    items = np.stack([scores, np.sqrt(1 - scores**2)], axis=1)
    teacher = Teacher(items, lambda queries: np.float32([[1, 0]] * len(queries)), lambda query: scores)
    labels = TrainLabels({"q": GAINS}, {"q": set(GAINS) | judged})
    config = ClicksConfig(**{"sessions": 4000, "shown": 15, "minimum": 0.0, "unjudged": 0.0, **settings})
    return {row.item: row for row in simulate_clicks(labels, teacher, config, seed)}


@pytest.mark.parametrize("settings", [{"model": "position"}, {"model": "cascade", "stop": 1.0}])
def test_estimates_come_back_to_the_gains_whatever_the_place(settings: dict[str, Any]) -> None:
    found = _clicks(**settings)
    for item, gain in GAINS.items():
        assert found[item].attractiveness == pytest.approx(gain, abs=0.08), item
    assert found[9].rate < found[0].rate - 0.1, "uncorrected clicks hold the lower place against the item"


def test_without_a_bias_of_place_the_rate_is_the_estimate() -> None:
    found = _clicks(model="position", eta=0.0, noise=0.0)
    assert set(found) == set(GAINS)
    for row in found.values():
        assert row.rate == pytest.approx(row.attractiveness)


def test_clicks_on_what_is_judged_irrelevant_teach_nothing() -> None:
    assert {1, 2} <= set(_clicks(unjudged=0.5)), "unjudged items near the answers are clicked"
    assert not {1, 2} & set(_clicks(judged={1, 2}, unjudged=0.5))
    assert set(_clicks(unjudged=0.5, minimum=0.6)) == {0, 9}, "only what attracts enough makes a sample"


def test_the_same_seed_clicks_the_same() -> None:
    assert _clicks(sessions=20) == _clicks(sessions=20) != _clicks(sessions=20, seed=2)
