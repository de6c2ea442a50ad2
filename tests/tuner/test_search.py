"""The whole search with real trainings: shared data, trial 0, a killed process, failures, best.yaml, the command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tfrec.config import Config, load_config
from tfrec.errors import ConfigError, EvaluationError, TrainingError
from tfrec.files import read_json
from tuner.space import Range

TRIALS = 2


def _trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the runs that are trained from now on."""
    from tfrec import api

    names: list[str] = []
    train = api.train

    def noted(config: Config, *source: Any) -> Any:
        names.append(config.name)
        return train(config, *source)

    monkeypatch.setattr(api, "train", noted)
    return names


def test_a_killed_search_is_resumed_and_leaves_a_configuration(
    shop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.cli.tune import tune
    from tuner.search import search

    config = load_config(shop_home, ["name=killed"])
    folder = Path(config.runs_dir) / "killed" / "tune"
    code = (
        "from tfrec.config import load_config; from tuner.search import search\n"
        f"search(load_config({str(shop_home)!r}, ['name=killed']), {TRIALS})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if (folder / "trial_1" / "checkpoints" / "best" / "state.json").is_file():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait(60)
    assert process.returncode == -signal.SIGKILL, "the search ended before it could be killed"
    first = read_json(folder / "oracle" / "trial_0" / "trial.json")
    assert first["status"] == "COMPLETED"

    trained = _trained(monkeypatch)
    result = search(config, TRIALS)
    assert trained == ["trial_1"]
    assert read_json(folder / "oracle" / "trial_0" / "trial.json") == first
    assert [t.number for t in result.trials] == [0, 1]
    default = result.trials[0]
    assert all(t.steps and t.seconds for t in result.trials)
    assert default.values["training.learning_rate"] == 3e-3 and default.values["encoder.dropout"] == 0.05
    assert default.score == first["score"] == result.best.score, "no rate of the ready range teaches this encoder"
    assert load_config(folder / "trial_0" / "config.yaml").training == config.training
    for stage in ("data", "synthetic", "zero_shot"):
        assert (folder.parent / stage).is_dir() and not list(folder.glob(f"trial_*/{stage}")), "made once and shared"
    kept = [path.parent.name for path in folder.glob("trial_*/checkpoints")]
    assert kept == [f"trial_{result.best.number}"], "only the best trial keeps its checkpoints"
    assert load_config(result.best_config) == config

    with pytest.raises(ConfigError, match="another space: delete"):
        search(config, TRIALS, space={"training.weight_decay": Range(1e-4, 1e-2, log=True)})
    with pytest.raises(ConfigError, match="another configuration: delete"):
        search(config, TRIALS, minutes_per_trial=1.0)

    app = typer.Typer()
    app.command()(tune)
    arguments = ["--config", str(shop_home), "--set", "name=killed", "--trials", str(TRIALS)]
    shown = CliRunner().invoke(app, arguments)  # a finished search is told again, not repeated
    assert shown.exit_code == 0 and trained == ["trial_1"]
    assert all(f"{t.score:.4f}" in shown.output for t in result.trials)
    assert "default" in shown.output and str(result.best_config) in shown.output
    wrong = CliRunner().invoke(app, [*arguments, "--set", "training.epochs=3"])
    assert wrong.exit_code == 2 and "another configuration" in wrong.stderr


def test_a_better_configuration_is_written_and_a_diverging_trial_passed_over(shop_home: Path) -> None:
    from tuner.search import search

    config = load_config(
        shop_home, ["name=better", "synthesis.enabled=false", "training.learning_rate=1.0e-9", "training.epochs=12"]
    )
    # One rate that learns nothing (the base), one that learns, one that destroys the model: three trials try all.
    space = {"training.learning_rate": Range(5e-3, 1e10, step=1e10 - 5e-3)}
    result = search(config, 3, minutes_per_trial=5, space=space)
    outcomes = {t.values["training.learning_rate"]: t for t in result.trials}
    assert sorted(outcomes) == [1e-9, 5e-3, 1e10]
    assert outcomes[1e10].score is None and "not finite" in outcomes[1e10].reason
    assert result.trials[0] is outcomes[1e-9] and result.best is outcomes[5e-3]
    found = load_config(result.best_config)
    assert found.training.learning_rate == 5e-3, "the only change"
    assert found.model_copy(update={"training": config.training}) == config
    assert found.training.max_minutes == config.training.max_minutes


def test_nothing_to_choose_by_is_told_before_training(shop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tuner.search import search

    trained = _trained(monkeypatch)
    with pytest.raises(ConfigError, match="at least one trial"):
        search(load_config(shop_home, ["name=none"]), 0)
    with pytest.raises(ConfigError, match="training.learning_rate"):
        search(load_config(shop_home, ["name=none"]), 1, space={"training.learning_rat": Range(1e-5, 1e-3)})
    with pytest.raises(EvaluationError, match="dev split is empty"):
        search(load_config(shop_home, ["name=none", "training.tasks={search: 0, recommendation: 1}"]), 1)
    assert not trained
    with pytest.raises(TrainingError, match="No trial of 1 .*batch_size"):
        search(load_config(shop_home, ["name=none", "training.batch_size=1000", "synthesis.enabled=false"]), 1)
    with pytest.raises(ConfigError, match="before the first training step"):
        search(load_config(shop_home, ["name=short", "synthesis.enabled=false"]), 2, minutes_per_trial=1e-6)
    assert trained == ["trial_0", "trial_0"], "the first trial told it"
