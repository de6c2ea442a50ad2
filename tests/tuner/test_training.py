"""Real trainings: rungs that go on where the one before ended, shared data, the command from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tfrec.config import Config, load_config
from tfrec.errors import ConfigError, EvaluationError
from tuner.fields import with_values
from tuner.folder import Order, Outcome, trial_folder, tune_folder, write_outcome
from tuner.plan import TRAINING
from tuner.training import prepare, run


def _train(source: Config, order: Order) -> Outcome:
    folder = trial_folder(tune_folder(source), order.number)
    folder.mkdir(parents=True)
    own = {"runs_dir": str(folder.parent), "name": folder.name}
    outcome = run(folder, with_values(source, own), source, order)
    write_outcome(folder, outcome)
    return outcome


def test_a_training_halted_at_each_rung_ends_like_one_that_was_not(shop_home: Path) -> None:
    source = load_config(shop_home, ["name=rungs", "training.learning_rate=4.0e-4", "training.interpolation=[0.5]"])
    prepare(source)
    whole = _train(source, Order(0, TRAINING, judge=True))
    first = _train(source, Order(1, TRAINING, until=1))
    second = _train(source, Order(2, TRAINING, continues=1, judge=True))
    assert (first.stopped, second.stopped, whole.stopped) == ("rung", "finished", "finished")
    assert first.steps and second.steps == whole.steps == 3 * first.steps
    scores = [score for _, score in whole.evaluations]
    assert len(set(scores)) > 2, "a training that shows a difference"
    assert [score for _, score in first.evaluations] == pytest.approx(scores[:2])
    assert [score for _, score in second.evaluations] == pytest.approx(scores)
    assert second.facts["values"]["search"] == pytest.approx(whole.facts["values"]["search"])
    values = whole.facts["values"]["search"]
    assert len(values) == 4 and sum(values.values()) / 4 == pytest.approx(whole.score), "what the trial was chosen by"
    again = run(trial_folder(tune_folder(source), 1), _config_of(source, 1), source, Order(1, TRAINING, until=1))
    assert (again.steps, again.stopped) == (first.steps, "rung"), "killed after its rung, it trains no further"
    for stage in ("data", "synthetic", "zero_shot"):
        assert (tune_folder(source).parent / stage).is_dir(), "made once"
        assert not list(tune_folder(source).glob(f"trial_*/{stage}")), "and shared"


def _config_of(source: Config, number: int) -> Config:
    return with_values(source, {"runs_dir": str(tune_folder(source)), "name": f"trial_{number}"})


def test_a_rung_takes_checkpoints_over_without_touching_them(tmp_path: Path) -> None:
    from tuner.training import _take_over

    (tmp_path / "a" / "checkpoints" / "last").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    kept = tmp_path / "a" / "checkpoints" / "last" / "state.json"
    kept.write_text("{}")
    _take_over(tmp_path / "a", tmp_path / "b")
    taken = tmp_path / "b" / "checkpoints" / "last" / "state.json"
    assert taken.read_text() == "{}" and taken.stat().st_ino == kept.stat().st_ino, "no second copy on the disk"
    _take_over(tmp_path / "nothing", tmp_path / "b")
    assert taken.is_file()


def test_an_empty_dev_split_is_told_before_training(shop_home: Path) -> None:
    with pytest.raises(EvaluationError, match="dev split is empty"):
        prepare(load_config(shop_home, ["name=none", "training.tasks={search: 0, recommendation: 1}"]))


def test_the_command_finds_the_rate_that_learns(shop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfrec.cli.main import app
    from tuner.search import search

    settings = [
        "name=found", "synthesis.enabled=false", "training.learning_rate=1.0e-9", "training.head_learning_rate=1.0e-9",
        "training.epochs=12", "tune.vary={training.learning_rate: [5.0e-3]}", "tune.finals.seeds=0",
        "tune.minutes_per_trial=5", "training.evaluations=1", "training.interpolation=[]",
    ]  # fmt: skip
    options = ["--config", str(shop_home), *(f"--set={setting}" for setting in settings)]
    done = CliRunner().invoke(app, ["tune", *options, "--trials", "2", "--oracle", "random"])
    assert done.exit_code == 0, done.output
    config = load_config(shop_home, settings)
    folder = tune_folder(config)
    found = load_config(folder / "best.yaml")
    assert found.training.learning_rate == 5e-3, "the only change"
    assert found == with_values(config, {"training.learning_rate": 5e-3, "tune": found.tune.model_dump(mode="json")})
    assert found.training.max_minutes == config.training.max_minutes and (folder / "report.html").is_file()
    assert [path.parent.name for path in folder.glob("trial_*/checkpoints")] == ["trial_1"], "the best one's are kept"
    for command, words in (
        ("show", "default"),
        ("best", "training.learning_rate: 0.005 (default 1e-09)"),
        ("report", ""),
    ):
        shown = CliRunner().invoke(app, ["tune", command, *options])
        assert shown.exit_code == 0 and words in shown.output, shown.output
    with pytest.raises(ConfigError, match="another configuration: delete"):
        search(with_values(config, {"training.epochs": 13, "tune.oracle": "random"}))
    missing = CliRunner().invoke(app, ["tune", "show", *options, "--set=name=nothing"])
    assert missing.exit_code == 2
