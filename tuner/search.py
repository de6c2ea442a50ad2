"""A search over configurations: trials trained on shared data, judged on dev, resumed after a kill."""

from __future__ import annotations

import contextlib
import gc
import io
import math
import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec import api
from tfrec.config import Config, plain_yaml
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError, EvaluationError, TfrecError, TrainingError
from tfrec.files import atomic_write, read_json, write_json
from tfrec.run import RunFolder
from tfrec.tensorflow_setup import keras
from tuner.oracle import DurableOracle
from tuner.space import LEARNING_AND_REGULARISATION, Space, base_value, check, with_values

# isort: split
import keras_tuner

_SECTIONS = ("data", "synthesis", "augment", "encoder", "model", "training", "evaluation")  # what dev scores depend on


@dataclass(frozen=True)
class TrialResult:
    """One trial that has ended.

    Attributes:
        number: from 0, which is the base configuration itself.
        values: what the trial's configuration has at each path of the space.
        score: dev score of its best evaluation, or None when it failed.
        seconds: spent on training, or None when it failed.
        steps: of training; under a time budget a busy machine gives one trial fewer than another. None when it failed.
        reason: why it failed, else "".
    """

    number: int
    values: dict[str, float]
    score: float | None
    seconds: float | None
    steps: int | None
    reason: str


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: in the order of their numbers.
        best: the trial with the highest dev score; the earlier one of equals.
        best_config: the file that `tfrec train --config` takes.
    """

    trials: list[TrialResult]
    best: TrialResult
    best_config: Path


class Search(keras_tuner.Tuner):
    """Trains a configuration per trial and tells KerasTuner its dev score.

    Args:
        config: the base configuration.
        space: what varies.
        trials: how many trials there are in all.
    """

    def __init__(self, config: Config, space: Space, trials: int) -> None:
        self._config, self._space = config, space
        self.folder = tune_folder(config)
        with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner tells that it reloads
            super().__init__(DurableOracle(config, space, trials), directory=self.folder, project_name="oracle")

    def config_of(self, trial: Any) -> Config:
        """The configuration of a trial: the base one with the trial's values, in a run folder of its own."""
        proposed = {path: float(f"{trial.hyperparameters.values[path]:.4g}") for path in self._space}
        values = proposed if int(trial.trial_id) else {}
        own: dict[str, Any] = {"runs_dir": str(self.folder), "name": f"trial_{int(trial.trial_id)}"}
        return with_values(self._config, {**values, **own})

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> float:
        """Trains the trial's configuration and gives the dev score of its best evaluation."""
        config = self.config_of(trial)
        told = ", ".join(f"{path} {base_value(config, path):.3g}" for path in self._space)
        print(f"Trial {int(trial.trial_id) + 1} of {self.oracle.max_trials}: {told}", file=sys.stderr, flush=True)
        try:
            score = self.train(config)
            trial.message = None if math.isfinite(score) else "The dev score is not a number: the training diverged."
        except (TrainingError, EvaluationError) as error:
            score, trial.message = math.nan, " ".join(str(error).split())
        except TfrecError as error:  # the disk, the encoder: no other trial would fare better
            raise keras_tuner.errors.FatalError(str(error)) from error
        told = f"failed: {trial.message}" if trial.message else f"dev score {score:.4f}"
        print(f"Trial {int(trial.trial_id) + 1}: {told}", file=sys.stderr, flush=True)
        return score  # KerasTuner marks a trial without a number as failed

    def train(self, config: Config) -> float:
        """Trains one configuration on the base's prepared data and synthetic examples; gives its best dev score."""
        try:
            summary = api.train(config, self._config).summary
            if not summary["steps"]:  # all trials would score what the untrained model does
                raise ConfigError(
                    f"The time budget of {config.training.max_minutes:g} minutes ends before the first training step: "
                    f"give the trials more minutes, and delete {self.folder}."
                )
            scores = [float(evaluation["score"]) for evaluation in summary["evaluations"]]
            return max(scores) if all(map(math.isfinite, scores)) else math.nan
        finally:
            keras.backend.clear_session()
            gc.collect()

    def search(self, *_: Any, **__: Any) -> None:
        """Runs all trials that have not ended.

        Raises:
            TfrecError: something failed that would fail every trial; the same search goes on from there later.
        """
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "All-NaN")  # numpy's, about the best score of a failed trial
                super().search(verbose=0)
        except keras_tuner.errors.FatalError as error:
            raise error.__cause__ or error from None

    def on_search_begin(self) -> None:
        """Makes the search resumable from its first trial on."""
        self.save()

    def on_trial_end(self, trial: Any) -> None:
        """Records the trial, then gives back the disk of all trials that are not the best."""
        super().on_trial_end(trial)
        results = self.results()
        best = best_of(results)
        for result in results:
            if result is not best:
                shutil.rmtree(self.folder / f"trial_{result.number}" / "checkpoints", ignore_errors=True)

    def save(self) -> None:
        """Replaces the state files as a whole."""
        self.oracle.save()
        write_json(self._get_tuner_fname(), {})

    def results(self) -> list[TrialResult]:
        """All trials that have ended, in the order of their numbers."""
        trials = sorted(self.oracle.trials.values(), key=lambda trial: int(trial.trial_id))
        return [self._result(trial) for trial in trials if trial.status in ("COMPLETED", "FAILED")]

    def _result(self, trial: Any) -> TrialResult:
        config = self.config_of(trial)
        values = {path: base_value(config, path) for path in self._space}
        if trial.status == "FAILED":
            reason = (trial.message or "no reason was recorded").strip().splitlines()[-1]  # of a traceback, if one
            return TrialResult(int(trial.trial_id), values, None, None, None, reason)
        summary = RunFolder(config).metrics().get("training", {})
        seconds, steps = summary.get("seconds"), summary.get("steps")
        return TrialResult(int(trial.trial_id), values, float(trial.score), seconds, steps, "")


def search(
    config: Config, trials: int = 8, minutes_per_trial: float | None = None, space: Space = LEARNING_AND_REGULARISATION
) -> SearchResult:
    """Searches for the configuration with the best dev score; a killed search goes on where it was.

    Trial 0 is the configuration itself, so that the search can only win. Only dev chooses: test is never read.

    Args:
        config: the base configuration; its seed is the search's seed and every trial's.
        trials: how many trials there are in all; more than before continues a finished search.
        minutes_per_trial: time budget of a trial's training; None keeps training.max_minutes.
        space: what varies.

    Returns:
        the trials, the best of them, and the file with its configuration (with the base's own time budget).

    Raises:
        ConfigError: the space names an unknown field; the search to be resumed was begun with something else; the
            time budget does not reach the first training step.
        EvaluationError: the dev split is empty.
        TrainingError: no trial trained to its end.
    """
    if trials < 1:
        raise ConfigError(f"A search needs at least one trial, not {trials}.")
    check(config, space)
    base = config if minutes_per_trial is None else with_values(config, {"training.max_minutes": minutes_per_trial})
    shop = prepare(config)
    _need_dev(config, shop)
    _same_search(base, space, shop)
    tuner = Search(base, space, trials)
    tuner.search()
    results = tuner.results()
    best = best_of(results)
    if best is None:
        raise TrainingError(
            f"No trial of {len(results)} trained to its end; the first failed with: {results[0].reason}"
        )
    found = with_values(config, best.values if best.number else {})
    target = tune_folder(config) / "best.yaml"
    atomic_write(target, plain_yaml(found))
    return SearchResult(results, best, target)


def best_of(results: list[TrialResult]) -> TrialResult | None:
    """The trial with the highest score, the earliest of equals; None when all failed."""
    return max((r for r in results if r.score is not None), key=lambda r: r.score or 0.0, default=None)


def tune_folder(config: Config) -> Path:
    """Where a search leaves its trials and what it found."""
    return RunFolder(config).path / "tune"


def _need_dev(config: Config, shop: ShopData) -> None:
    tasks = config.training.tasks
    searches = shop.has_searches and tasks.search > 0 and bool(shop.judgments("dev"))
    if not searches and not (shop.has_interactions and tasks.recommendation > 0 and shop.shoppers("dev")):
        raise EvaluationError(
            "The dev split is empty, so a search has nothing to choose by: set data.split.dev_share or "
            "data.split.dev_days."
        )


def _same_search(config: Config, space: Space, shop: ShopData) -> None:
    """Scores of different spaces, configurations or data do not belong into one search."""
    folder = tune_folder(config)
    file = folder / "search.json"
    ranges = {path: [values.low, values.high, values.log, values.step] for path, values in space.items()}
    now: Mapping[str, Any] = {"space": ranges, "configuration": config.hash_of(*_SECTIONS), "data": shop.fingerprint}
    if file.is_file():
        before = read_json(file)
        changed = [name for name, value in now.items() if before.get(name) != value]
        if changed:
            raise ConfigError(
                f"{folder} holds a search that was begun with another {' and another '.join(changed)}: delete the "
                "folder to start anew, or go back to what it was begun with."
            )
    write_json(file, now)
