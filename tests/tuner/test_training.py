"""Real trainings: the command from end to end, rungs that go on where the one before ended, what trials share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tfrec.config import Config, load_config
from tfrec.errors import ConfigError, EvaluationError
from tfrec.tuner import isolated, trial
from tfrec.tuner.fields import with_values
from tfrec.tuner.folder import Order, Outcome, read_order, read_outcome, trial_folder, tune_folder, write_outcome
from tfrec.tuner.plan import TRAINING
from tfrec.tuner.training import prepare, run

RATE = 1e-2
SETTINGS = [
    "name=found", "training.head_learning_rate=1.0e-9", f"tune.vary={{training.head_learning_rate: [{RATE}]}}",
    "training.epochs=3", "tune.finals.seeds=0", "tune.minutes_per_trial=60",
]  # fmt: skip


@pytest.fixture(scope="module")
def searched(known_shop: Path) -> Iterator[tuple[Config, list[str]]]:
    """A search by the command over one rate that learns beside the default's, which does not; options that name it.

    The trials train in this process, which has TensorFlow already; test_processes.py has them in their own.
    """
    from tfrec.cli.main import app

    def here(folder: Path, beat: Callable[[], None], threads: int | None) -> int:
        write_outcome(folder, trial._outcome(folder, read_order(folder)))
        return 0

    options = ["--config", str(known_shop), *(f"--set={setting}" for setting in SETTINGS)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        patch.setattr(isolated, "_run_once", here)
        done = CliRunner().invoke(app, ["tune", *options, "--trials", "2", "--oracle", "random"])
        assert done.exit_code == 0, done.output
        yield load_config(known_shop, SETTINGS), options


def test_the_command_finds_the_rate_that_learns(searched: tuple[Config, list[str]]) -> None:
    from tfrec.cli.main import app
    from tfrec.tuner.search import search

    config, options = searched
    folder = tune_folder(config)
    found = load_config(folder / "best.yaml")
    assert found.training.head_learning_rate == RATE, "the only change"
    only = {"training.head_learning_rate": RATE, "tune": found.tune.model_dump(mode="json")}
    assert found == with_values(config, only)
    assert found.training.max_minutes == config.training.max_minutes and (folder / "report.html").is_file()
    assert [path.parent.name for path in folder.glob("trial_*/checkpoints")] == ["trial_1"], "the best one's are kept"
    for stage in ("data", "synthetic", "zero_shot"):
        assert (folder.parent / stage).is_dir(), "made once"
        assert not list(folder.glob(f"trial_*/{stage}")), "and shared"
    for command, words in (
        ("show", "default"),
        ("best", "training.head_learning_rate: 0.01 (default 1e-09)"),
        ("report", ""),
    ):
        shown = CliRunner().invoke(app, ["tune", command, *options])
        assert shown.exit_code == 0 and words in shown.output, shown.output
    with pytest.raises(ConfigError, match="another configuration: delete"):
        search(with_values(config, {"training.epochs": 13, "tune.oracle": "random"}))
    misplaced = CliRunner().invoke(app, ["tune", *options, "show"])
    assert misplaced.exit_code == 2, "or it would show another search"
    missing = CliRunner().invoke(app, ["tune", "show", *options, "--set=name=nothing"])
    assert missing.exit_code == 2


@pytest.mark.slow
def test_a_training_halted_at_a_rung_ends_like_one_that_was_not(searched: tuple[Config, list[str]]) -> None:
    config, _ = searched
    folder = tune_folder(config)
    source = load_config(folder / "base.yaml")
    whole = read_outcome(trial_folder(folder, 1))
    assert whole is not None
    first = _train(source, Order(11, TRAINING, until=1))
    second = _train(source, Order(12, TRAINING, continues=11, judge=True))
    assert (first.stopped, second.stopped, whole.stopped) == ("rung", "finished", "finished")
    assert first.steps and second.steps == whole.steps == 3 * first.steps
    scores = [score for _, score in whole.evaluations]
    assert len(set(scores)) > 2, "a training that shows a difference"
    assert [score for _, score in first.evaluations] == pytest.approx(scores[:2])
    assert [score for _, score in second.evaluations] == pytest.approx(scores)
    values = second.facts["values"]["search"]
    assert len(values) == 4 and sum(values.values()) / 4 == pytest.approx(whole.score), "what the trial was chosen by"
    again = run(trial_folder(folder, 11), _config_of(source, 11), source, Order(11, TRAINING, until=1))
    assert (again.steps, again.stopped) == (first.steps, "rung"), "killed after its rung, it trains no further"


def test_values_that_the_encoder_cannot_have_fail_their_trial_alone(
    searched: tuple[Config, list[str]], tmp_path: Path
) -> None:
    from tfrec.errors import EncoderError, TrainingError

    source = load_config(tune_folder(searched[0]) / "base.yaml")
    frozen = with_values(source, {"encoder.freeze": "pattern:nothing", "runs_dir": str(tmp_path), "name": "trial_3"})
    with pytest.raises(TrainingError, match="matches none of the encoder's variables"):
        run(tmp_path / "trial_3", frozen, source, Order(3, TRAINING))
    gone = with_values(source, {"encoder.name": "nowhere"})
    with pytest.raises(EncoderError, match="nowhere"):  # of all trials
        run(tmp_path / "trial_3", gone, gone, Order(3, TRAINING))


def test_a_rung_takes_checkpoints_over_without_touching_them(tmp_path: Path) -> None:
    from tfrec.tuner.training import _take_over

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


def _train(source: Config, order: Order) -> Outcome:
    folder = trial_folder(tune_folder(source), order.number)
    folder.mkdir(parents=True)
    outcome = run(folder, _config_of(source, order.number), source, order)
    write_outcome(folder, outcome)
    return outcome


def _config_of(source: Config, number: int) -> Config:
    own = {"runs_dir": str(tune_folder(source)), "name": f"trial_{number}", "training.head_learning_rate": RATE}
    return with_values(source, own)
