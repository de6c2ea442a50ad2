"""Measures of known truth: samples of one distribution seldom alert, shifted ones always do."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.drift.measures import bins_of, counts_in, energy_test, psi, psi_by_chance
from tfrec.drift.sketch import Sketch


def test_psi_by_hand_and_zero_for_equal_shares() -> None:
    assert psi([20, 80], [0.5, 0.5]) == pytest.approx(-0.3 * np.log(0.4) + 0.3 * np.log(1.6))
    assert psi([10, 30, 60], [0.1, 0.3, 0.6]) == pytest.approx(0)
    assert psi([0, 100], [0.5, 0.5]) > 1, "an empty bin has a value"


def test_psi_exceeds_what_chance_explains_about_as_often_as_said() -> None:
    draw = np.random.default_rng(3)
    found = []
    for _ in range(400):
        reference = bins_of(draw.normal(size=2000))
        found.append(psi(counts_in(draw.normal(size=300), reference["edges"]).tolist(), reference["shares"]))
    beyond = np.mean(np.array(found) > psi_by_chance(10, 300, 2000, 0.05))
    assert 0.02 < beyond < 0.09
    shifted = counts_in(draw.normal(0.7, size=300), reference["edges"]).tolist()
    assert psi(shifted, reference["shares"]) > 0.25 > psi_by_chance(10, 300, 2000, 0.001)


def test_the_energy_distance_holds_its_level_and_sees_a_shift() -> None:
    draw = np.random.default_rng(5)
    same = [energy_test(draw.normal(size=[40, 8]), draw.normal(size=[40, 8]), seed, 99)[1] for seed in range(200)]
    assert 0.01 < np.mean(np.array(same) <= 0.05) < 0.1
    value, p = energy_test(draw.normal(size=[100, 8]), draw.normal(0.6, size=[100, 8]))
    assert value > 0.05 and p <= 0.001
    assert energy_test(np.zeros([50, 2]), np.ones([50, 2]))[0] == pytest.approx(1), "each at one other point"


def test_a_sketch_knows_all_that_is_in_it_and_little_else() -> None:
    sketch = Sketch.of([f"word {number}" for number in range(2000)])
    assert all(f"word {number}" in sketch for number in range(2000))
    assert sum(f"other {number}" in sketch for number in range(5000)) < 100
    assert b"word" not in sketch.bits.tobytes() and "x" not in Sketch.of([])
