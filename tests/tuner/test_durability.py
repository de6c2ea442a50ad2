"""A search dies at every one of its writes and loses no trial; its proposals depend on nothing that a kill loses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config, TrainingConfig, parse_config
from tfrec.errors import TfrecError, TrainingError
from tuner import oracle as oracle_module
from tuner import search as search_module
from tuner.search import Search
from tuner.space import LEARNING_AND_REGULARISATION, Space

TRIALS = 4  # those before the Gaussian process, which takes seconds to think
PEAK = {"training.learning_rate": 6e-5, "training.temperature": 0.04}


class Killed(BaseException):
    """Stands for kill -9: nothing that catches errors catches it."""


class Analytic(Search):
    """A search on a function with a known optimum in place of a training."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.trained: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.sign = 1.0

    def train(self, config: Config) -> float:
        self.trained.append(config.name)
        if config.name in self.failing:
            raise self.failing[config.name]
        training = config.training
        away = math.log(training.learning_rate / PEAK["training.learning_rate"]) ** 2
        return self.sign * math.exp(-away - math.log(training.temperature / PEAK["training.temperature"]) ** 2)


def _search(folder: Path, trials: int = TRIALS, seed: int = 3, space: Space = LEARNING_AND_REGULARISATION) -> Analytic:
    config = parse_config({"data": {"demo": {}}, "name": "analytic", "runs_dir": str(folder), "seed": seed})
    return Analytic(config, space, trials)


def _dying_at(number: int, patch: pytest.MonkeyPatch) -> None:
    left, write = [number], oracle_module.write_json

    def dying(path: Any, value: Any) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        write(path, value)

    patch.setattr(oracle_module, "write_json", dying)
    patch.setattr(search_module, "write_json", dying)


def test_a_search_killed_at_any_write_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    whole = _search(tmp_path / "whole")
    whole.search()
    assert [r.number for r in whole.results()] == list(range(TRIALS))
    for number in range(100):
        folder = tmp_path / str(number)
        first = _search(folder)
        with pytest.MonkeyPatch.context() as patch:
            _dying_at(number, patch)
            try:
                first.search()
            except Killed:
                pass
            else:
                break
        second = _search(folder)
        done = [result.number for result in second.results()]
        second.search()
        assert second.results() == whole.results()
        assert second.trained == [f"trial_{n}" for n in range(TRIALS) if n not in done], "lost, or run again"
        assert set(first.trained) >= {f"trial_{n}" for n in done}
    assert number > 20, "the search did not die as often as it writes"


def test_the_first_trial_is_the_configuration_itself(tmp_path: Path) -> None:
    search = _search(tmp_path)
    search.search()
    results = search.results()
    assert results[0].values == {
        "training.learning_rate": TrainingConfig().learning_rate,
        "training.head_learning_rate": 1e-3,
        "training.weight_decay": 0.01,
        "encoder.dropout": 0.1,
        "training.temperature": 0.05,
    }
    assert len({tuple(r.values.values()) for r in results}) == TRIALS
    for path, values in LEARNING_AND_REGULARISATION.items():
        assert all(values.low * 0.999 <= r.values[path] <= values.high * 1.001 for r in results)
    other = _search(tmp_path / "other", 2, seed=4)
    other.search()
    assert other.results()[0] == results[0] and other.results()[1] != results[1]


def test_the_gaussian_process_reads_the_scores_and_a_resumed_search_proposes_the_same(tmp_path: Path) -> None:
    space = {"training.learning_rate": LEARNING_AND_REGULARISATION["training.learning_rate"]}
    whole = _search(tmp_path / "whole", TRIALS + 1, space=space)
    whole.search()
    _search(tmp_path / "parts", TRIALS, space=space).search()
    resumed = _search(tmp_path / "parts", TRIALS + 1, space=space)
    resumed.search()
    assert resumed.trained == [f"trial_{TRIALS}"]
    assert resumed.results() == whole.results()
    inverted = _search(tmp_path / "inverted", TRIALS + 1, space=space)
    inverted.sign = -1.0
    inverted.search()
    values = [[r.values for r in search.results()] for search in (whole, inverted)]
    assert values[0][:TRIALS] == values[1][:TRIALS], "the first trials read no score"
    assert values[0][TRIALS] != values[1][TRIALS], "the Gaussian process must read them"


def test_failed_trials_are_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    search = _search(tmp_path, 6)
    search.failing = {f"trial_{n}": TrainingError("it diverged: lower the rate") for n in range(4)}
    search.failing["trial_4"] = ValueError("a bug: of ours")
    search.search()
    results = search.results()
    assert [r.score is None for r in results] == [True] * 5 + [False]
    assert results[1].reason == "it diverged: lower the rate"
    assert results[4].reason == "ValueError: a bug: of ours"
    more = _search(tmp_path, 8)
    more.search()
    assert more.trained == ["trial_6", "trial_7"], "a finished search is continued, not repeated"
    assert more.results()[:6] == results


def test_a_full_disk_stops_the_search(tmp_path: Path) -> None:
    search = _search(tmp_path)
    search.failing = {"trial_1": TfrecError("The disk is full.")}
    with pytest.raises(TfrecError, match="disk is full"):
        search.search()
    again = _search(tmp_path)
    again.search()
    assert again.trained[0] == "trial_1" and len(again.results()) == TRIALS
