"""Agreement of judges: values from the literature, and what holds for any grades."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrec.evaluation.agreement import krippendorff_alpha, weighted_kappa

# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units, gaps
OBSERVERS = ["123321412...", "1233224125.3", ".3332342251.", "1233244125 1.".replace(" ", "")]
UNITS = [[int(grade) for grade in unit if grade != "."] for unit in zip(*OBSERVERS, strict=True)]
# the ratings of anxiety of R's package irr (20 subjects), whose manual prints their weighted kappa
ANXIETY = ([3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3], [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4])  # fmt: skip  # noqa: E501
GRADES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=12)


@pytest.mark.parametrize(("metric", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_own_example(metric: str, value: float) -> None:
    found = krippendorff_alpha(UNITS, metric)  # type: ignore[arg-type]
    assert found.value == pytest.approx(value, abs=5e-4)
    assert found.units == 11  # the last one has a single grade
    assert found.low is not None and found.high is not None and found.low < found.value < found.high <= 1


def test_weighted_kappa_of_a_known_table() -> None:
    assert weighted_kappa(*ANXIETY) == pytest.approx(0.297, abs=5e-4)


def brute_alpha(units: list[list[int]]) -> float | None:
    """1 - observed / expected disagreement over all pairs of grades (interval metric), from the definition."""
    told = [unit for unit in units if len(unit) > 1]
    values = [grade for unit in told for grade in unit]
    observed = sum(
        sum((a - b) ** 2 for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in told
    )  # fmt: skip
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(values, 2))
    return 1 - observed * (len(values) - 1) / expected if expected else None


@given(GRADES)
def test_alpha_is_what_its_definition_says(units: list[list[int]]) -> None:
    found, wanted = krippendorff_alpha(units, "interval").value, brute_alpha(units)
    assert (found is None) == (wanted is None)
    assert wanted is None or found == pytest.approx(wanted)


@given(GRADES, st.lists(st.integers(1, 50), min_size=4, max_size=4))
def test_ordinal_alpha_knows_the_order_alone(units: list[list[int]], steps: list[int]) -> None:
    scale = np.cumsum(steps)
    other = [[float(scale[grade]) for grade in reversed(unit)] for unit in units]
    assert krippendorff_alpha(other).value == pytest.approx(krippendorff_alpha(units).value)


def test_perfect_none_and_nothing_to_tell() -> None:
    same = krippendorff_alpha([[0, 0], [3, 3], [1, 1, 1]])
    assert same.value == 1 and same.high == 1
    opposite = krippendorff_alpha([[0, 3]] * 10)
    assert opposite.value is not None and opposite.value < 0
    assert krippendorff_alpha([[2, 2], [2, 2]]).value is None  # nobody could disagree
    assert krippendorff_alpha([[1], [2]]).units == 0
    assert weighted_kappa([1, 2, 3], [1, 2, 3]) == 1
    assert weighted_kappa([2], [2]) is None and weighted_kappa([], []) is None
