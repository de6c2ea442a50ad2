"""The gate's single checks on numbers made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.config import GateConfig
from tfrec.lifecycle.gate import checks
from tfrec.lifecycle.gate.checks import Check, Slice, Task
from tfrec.lifecycle.gate.judging import worst

SETTINGS = GateConfig()


def outcomes(task: Task, settings: GateConfig = SETTINGS) -> dict[str, str]:
    among = checks.comparisons([task], settings)
    return {check.name: check.outcome for check in checks.quality(task, settings, 17, 500, among)}


def task(mine: np.ndarray, other: np.ndarray | None, *slices: Slice) -> Task:
    return Task("search", "nDCG@10", "queries", mine, other, slices)


def test_a_loss_beyond_chance_refuses_and_a_large_one_that_may_be_chance_is_doubtful() -> None:
    before = np.full(40, 0.6)
    assert outcomes(task(before, before)) == {"search": "pass"}
    assert outcomes(task(before - 0.01, before)) == {"search": "pass"}, "sure, but within what may be lost"
    assert outcomes(task(before - 0.03, before)) == {"search": "refuse"}
    for other, outcome in ((0.36, "pass"), (0.46, "doubtful"), (0.9, "refuse")):
        after = before + np.where(np.arange(40) < 20, 0.3, -other)
        assert outcomes(task(after, before)) == {"search": outcome}, other
    assert outcomes(task(before[:8] - 0.5, before[:8])) == {"search": "doubtful"}, "eight queries tell nothing surely"
    assert outcomes(task(before + 0.2, before)) == {"search": "pass"}


def test_a_value_threshold_needs_no_other_version() -> None:
    settings = GateConfig(least={"search": 0.5})
    assert outcomes(task(np.full(20, 0.45), None), settings) == {"search: least": "refuse"}
    assert outcomes(task(np.full(20, 0.5), None), settings) == {"search: least": "pass"}
    assert outcomes(task(np.full(20, 0.45), None)) == {}


def test_a_slice_that_is_harmed_refuses_though_the_whole_is_well() -> None:
    before = np.full(400, 0.5)
    after = before + 0.1
    few = np.arange(400) < 30
    after[few] -= 0.4

    def part(label: str, inside: np.ndarray) -> Slice:
        return Slice("language", label, np.where(inside, after, np.nan), np.where(inside, before, np.nan))

    small = part("of nine", np.arange(400) < 9)
    found = outcomes(task(after, before, part("de", few), part("en", ~few), small))
    assert found == {"search": "pass", "search, language: de": "refuse", "search, language: en": "pass"}


def test_sound_candidates_pass_with_few_requests_several_tasks_and_many_slices() -> None:
    rng = np.random.default_rng(0)
    passed = 0
    for _ in range(60):
        tasks = []
        for name, count in (("search", 60), ("recommendation", 150), ("own titles", 60)):
            before = rng.uniform(0, 1, count)
            after = before + rng.normal(0, 0.16, count)
            kinds = rng.integers(0, 5, count)
            slices = [
                Slice("kind", str(n), np.where(kinds == n, after, np.nan), np.where(kinds == n, before, np.nan))
                for n in range(5)
            ]
            tasks.append(Task(name, "nDCG@10", "requests", after, before, slices))
        among = checks.comparisons(tasks, SETTINGS)
        found = [check for task in tasks for check in checks.quality(task, SETTINGS, 17, 20, among)]
        passed += worst([check.outcome for check in found]) == "pass"
    assert passed >= 57


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (checks.catalogue([f"p{n}" for n in range(50)], [f"p{n}" for n in range(100)], SETTINGS), "refuse"),
        (checks.catalogue([f"p{n}" for n in range(5, 300)], [f"p{n}" for n in range(100)], SETTINGS), "pass"),
        (checks.size(160, 100, SETTINGS), "refuse"),
        (checks.size(140, 100, SETTINGS), "pass"),
        (checks.latency(np.full(9, 9.0), np.full(9, 5.0), SETTINGS), "doubtful"),
        (checks.latency(np.full(9, 0.9), np.full(9, 0.5), SETTINGS), "pass"),
        (checks.first_pages([True] * 9 + [False], SETTINGS), "pass"),
        (checks.first_pages([True] * 9 + [False], GateConfig(most_changed=0.5)), "doubtful"),
        (checks.offers({"signatures": {"search": {}}}, {"signatures": {"search": {}, "recommend": {}}}), "refuse"),
        (
            checks.offers({"retrieval": {"filters": ["price"]}}, {"retrieval": {"filters": ["price", "brand"]}}),
            "refuse",
        ),
        (checks.offers({"retrieval": {"filters": ["price", "x"]}}, {"retrieval": {"filters": ["price"]}}), "pass"),
        (checks.enough([task(np.zeros(9), None)]), "doubtful"),
        (checks.enough([task(np.zeros(9), None), task(np.zeros(10), None)]), "pass"),
    ],
)
def test_checks_beside_quality(check: Check, outcome: str) -> None:
    assert check.outcome == outcome, check.sentence
    assert check.sentence.endswith(".")


def test_the_worst_check_decides() -> None:
    assert worst(["pass", "doubtful", "refuse", "pass"]) == "refuse"
    assert worst(["pass", "doubtful"]) == "doubtful" and worst(["pass"]) == "pass" and worst([]) == "pass"
