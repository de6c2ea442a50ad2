"""The oracles on a function with a known optimum; killed at every write; with dead and doubled workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config
from tfrec.tuner import durable
from tfrec.tuner.encoding import decode
from tfrec.tuner.fields import with_values
from tfrec.tuner.kerastuner import Trial, keras_tuner
from tfrec.tuner.oracles import make_oracle
from tfrec.tuner.space import space_of

VARY = {
    "training.learning_rate": {"low": 5e-6, "high": 2e-4, "log": True},
    "training.temperature": {"low": 0.02, "high": 0.1, "log": True},
}


class Killed(BaseException):
    """Stands for kill -9: nothing that catches errors catches it."""


def _oracle(config: Config, folder: Path) -> Any:
    oracle: Any = make_oracle(config, space_of(config))
    oracle._set_project_dir(folder, "oracle")
    if (folder / "oracle" / "oracle.json").is_file():
        oracle.reload()
    else:
        oracle.save()
    return oracle


def _values(config: Config, trial: Any) -> dict[str, Any]:
    return decode(config, space_of(config), trial.hyperparameters.values)


def _score(config: Config, trial: Any) -> float:
    from analytic_objective import value

    whole = config.training.evaluations
    return value(with_values(config, _values(config, trial))) * trial.hyperparameters.values.get("tuner/epochs", whole)


def _run(oracle: Any, config: Config, fails: Callable[[Any], bool] = lambda trial: False) -> list[Any]:
    while (trial := oracle.create_trial("a")).status == "RUNNING":
        _end(oracle, config, trial, fails(trial))
    return sorted(oracle.trials.values(), key=lambda t: int(t.trial_id))


def _end(oracle: Any, config: Config, trial: Any, failed: bool = False) -> None:
    if not failed:
        oracle.update_trial(trial.trial_id, {"score": _score(config, trial)})
    oracle.end_trial(Trial(keras_tuner.HyperParameters(), trial.trial_id, "FAILED" if failed else "COMPLETED"))


@pytest.mark.parametrize(
    ("oracle", "settings", "bound"),
    [("random", {"trials": 30}, 0.7), ("bayesian", {"trials": 10}, 0.9), ("hyperband", {"iterations": 2}, 0.7)],
)
def test_each_oracle_comes_near_the_known_optimum(
    analytic: Callable[..., Config], tmp_path: Path, oracle: str, settings: dict[str, int], bound: float
) -> None:
    from analytic_objective import value

    config = analytic(evaluations=9, oracle=oracle, vary=VARY, **settings)
    trials = _run(_oracle(config, tmp_path), config)
    assert trials[0].hyperparameters.values["training.learning_rate"] == 1e-5, "the default is trial 0"
    found = max(value(with_values(config, _values(config, trial))) for trial in trials if trial.status == "COMPLETED")
    assert value(config) < 0.1 and found > bound


def test_hyperband_goes_on_with_the_best_of_each_rung(analytic: Callable[..., Config], tmp_path: Path) -> None:
    config = analytic(evaluations=9, oracle="hyperband", vary=VARY)
    trials = {trial.trial_id: trial for trial in _run(_oracle(config, tmp_path), config)}
    rungs: dict[tuple[int, int], list[Any]] = {}
    for trial in trials.values():
        values = trial.hyperparameters.values
        rungs.setdefault((values["tuner/bracket"], values["tuner/round"]), []).append(trial)
    assert {place: len(there) for place, there in rungs.items()} == {
        (-1, 0): 1, (2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3,
    }  # fmt: skip
    for (bracket, number), there in rungs.items():
        before = rungs.get((bracket, number - 1), [])
        best = sorted(before, key=lambda trial: -trial.score)[: len(there)]
        gone_on = {trial.hyperparameters.values.get("tuner/trial_id") for trial in there}
        assert gone_on == ({trial.trial_id for trial in best} if number else {None})
        for trial in there if number else []:
            earlier = trials[trial.hyperparameters.values["tuner/trial_id"]]
            assert _values(config, trial) == _values(config, earlier)
            assert trial.hyperparameters.values["tuner/initial_epoch"] == earlier.hyperparameters.values["tuner/epochs"]


def test_hyperband_ends_when_the_space_holds_no_more(analytic: Callable[..., Config], tmp_path: Path) -> None:
    config = analytic(evaluations=9, oracle="hyperband", vary={"training.learning_rate": [2e-5, 6e-5]})
    trials = _run(_oracle(config, tmp_path), config)
    values = [trial.hyperparameters.values for trial in trials]
    assert [v["tuner/round"] for v in values] == [0, 0, 0, 1, 1, 2], "both others, then the better one to its end"
    assert values[-1]["tuner/epochs"] == 9 and values[-1]["training.learning_rate"] == 6e-5


def test_the_gaussian_process_repeats_no_trial(analytic: Callable[..., Config], tmp_path: Path) -> None:
    choice = {"training.temperature": [0.02, 0.03, 0.04, 0.06, 0.1]}
    config = analytic(oracle="bayesian", trials=9, vary=choice)
    tried = [_values(config, trial)["training.temperature"] for trial in _run(_oracle(config, tmp_path), config)]
    assert sorted(tried) == [0.02, 0.03, 0.04, 0.05, 0.06, 0.1], "each value, and the default's, once"


def test_a_proposal_depends_on_the_trials_alone(analytic: Callable[..., Config], tmp_path: Path) -> None:
    config = analytic(oracle="bayesian", trials=9, vary={"training.temperature": VARY["training.temperature"]})
    oracle = _oracle(config, tmp_path)
    running = oracle.create_trial("b")
    for _ in range(4):
        _end(oracle, config, oracle.create_trial("a"))
    proposed = [oracle.populate_space("5")["values"] for _ in range(2)]
    assert proposed[0] == proposed[1], "what the process has fitted before does not matter"
    assert proposed[0] != running.hyperparameters.values
    assert list(_oracle(config, tmp_path).trials) == list(oracle.trials), "nor does the order of the files"


def test_failed_trials_do_not_hold_a_bracket_up(analytic: Callable[..., Config], tmp_path: Path) -> None:
    config = analytic(evaluations=9, oracle="hyperband", vary=VARY)
    trials = _run(_oracle(config, tmp_path), config, lambda trial: int(trial.trial_id) in (1, 2, 3, 4, 5, 6, 7))
    places = [(t.hyperparameters.values["tuner/bracket"], t.hyperparameters.values["tuner/round"]) for t in trials]
    assert places.count((2, 1)) == 2 and places.count((2, 2)) == 1, "two of nine were left"
    assert sum(trial.status == "FAILED" for trial in trials) == 7


@pytest.mark.parametrize(
    ("oracle", "settings", "every"), [("random", {"trials": 4}, 2), ("hyperband", {"evaluations": 3}, 4)]
)
def test_a_search_killed_at_any_write_ends_like_an_unbroken_one(
    analytic: Callable[..., Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    oracle: str,
    settings: dict[str, int],
    every: int,
) -> None:
    config = analytic(oracle=oracle, vary=VARY, **settings)
    whole = _told(config, _run(_oracle(config, tmp_path / "whole"), config))
    assert len(whole) >= 4
    write, number, killed = durable.write_json, 0, True
    while killed:
        left = [number]

        def dying(path: Any, value: Any, left: list[int] = left) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            write(path, value)

        folder = tmp_path / str(number)
        monkeypatch.setattr(durable, "write_json", dying)
        try:
            _run(_oracle(config, folder), config)
            killed = False
        except Killed:
            pass
        monkeypatch.setattr(durable, "write_json", write)
        resumed = _oracle(config, folder)
        assert _told(config, _run(resumed, config)) == whole, f"killed at write {number}"
        assert sorted(resumed.end_order, key=int) == [name for name, *_ in whole], "none lost, none twice"
        number += every
    assert number > 15


def _told(config: Config, trials: list[Any]) -> list[tuple[Any, ...]]:
    return [
        (t.trial_id, t.status, t.score, _values(config, t), t.metrics.get_config()["metrics"]["score"]) for t in trials
    ]


def test_a_lost_workers_trial_is_taken_up_and_counts_once(analytic: Callable[..., Config], tmp_path: Path) -> None:
    config = analytic(oracle="random", vary=VARY, trials=3)
    oracle = _oracle(config, tmp_path)
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    assert oracle.create_trial("a").trial_id == first.trial_id, "a worker that asks twice has one trial"
    oracle.release("a")
    taken = oracle.create_trial("c")
    assert taken.trial_id == first.trial_id
    _end(oracle, config, taken)
    _end(oracle, config, first)  # the lost worker was only slow
    assert oracle.end_order == [first.trial_id]
    assert len(oracle.trials[first.trial_id].metrics.get_history("score")[0].value) == 1
    third = oracle.create_trial("c")
    _end(oracle, config, third)
    assert oracle.create_trial("c").status == "IDLE", "b may die yet"
    oracle.release("b")
    again = oracle.create_trial("c")
    assert again.trial_id == second.trial_id
    _end(oracle, config, again)
    assert oracle.create_trial("c").status == "STOPPED" and len(oracle.end_order) == 3


def test_a_restarted_chief_gives_a_worker_its_trial_back(analytic: Callable[..., Config], tmp_path: Path) -> None:
    config = analytic(oracle="random", vary=VARY, trials=3)
    trial = _oracle(config, tmp_path).create_trial("a")
    restarted = _oracle(config, tmp_path)
    restarted.adopt("a", trial.trial_id)
    other = restarted.create_trial("b")
    assert other.trial_id != trial.trial_id
    _end(restarted, config, trial)
    assert restarted.end_order == [trial.trial_id] and list(restarted.ongoing_trials) == ["b"]
