"""KerasTuner's Bayesian oracle, made to start from the configuration's own values and to survive a kill."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.files import write_json
from tfrec.tensorflow_setup import tf  # noqa: F401  KerasTuner imports TensorFlow, which must come with Keras 2
from tuner.space import Space, base_value

# isort: split
import keras_tuner

_RANDOM_TRIALS = 4  # with the configuration's own; the Gaussian process proposes from then on
_NOISE = 0.01  # variance of a dev score that is chance, as a share of the variance over trials
_SEEDS_PER_TRIAL = 1000


class DurableOracle(keras_tuner.oracles.BayesianOptimizationOracle):
    """Proposes the values of each trial from its number, the seed and the finished trials, and from nothing else.

    KerasTuner loses or repeats a trial when it is killed between two of its writes, leaves half-written files, and
    does not save its random state; here every file is replaced whole and `reload` makes the trials' own files decide.

    Args:
        config: the base configuration; trial 0 has its values.
        space: what varies.
        trials: how many trials there are in all.
    """

    def __init__(self, config: Config, space: Space, trials: int) -> None:
        super().__init__(
            objective=keras_tuner.Objective("score", "max"),
            max_trials=trials,
            num_initial_points=_RANDOM_TRIALS,
            alpha=_NOISE,
            seed=config.seed + 1,  # KerasTuner takes 0 for no seed
            hyperparameters=_declared(config, space),
            max_consecutive_failed_trials=trials + 1,  # failed trials never end a search
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the values of a new trial; those of the base configuration to the first."""
        number = int(trial_id)
        if number == 0:
            values = {parameter.name: parameter.default for parameter in self.hyperparameters.space}
            return {"status": "RUNNING", "values": values}
        self._seed_state = self.seed + _SEEDS_PER_TRIAL * number
        self._random_state = np.random.RandomState(self._seed_state)
        with warnings.catch_warnings():  # sklearn's, about a kernel fitted to a handful of points
            warnings.simplefilter("ignore")
            return super().populate_space(trial_id)

    def save(self) -> None:
        """Replaces oracle.json as a whole."""
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial: Any) -> None:
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        """Reads the state back; exactly the trials that have not ended are run again."""
        super().reload()
        ended = [name for name, trial in self.trials.items() if trial.status in ("COMPLETED", "FAILED")]
        self._retry_queue = sorted((name for name in self.trials if name not in ended), key=int, reverse=True)
        self.start_order = sorted(self.trials, key=int)
        self.end_order += sorted((name for name in ended if name not in self.end_order), key=int)


def _declared(config: Config, space: Space) -> keras_tuner.HyperParameters:
    """The space in KerasTuner's words; each range is widened to hold the configuration's own value."""
    declared = keras_tuner.HyperParameters()
    for path, values in space.items():
        base = base_value(config, path)
        if values.step is not None:
            declared.Choice(path, sorted({*values.grid(), base}), ordered=True, default=base)
            continue
        if values.log and base <= 0:  # has no place on a logarithmic range; trial 0 keeps it all the same
            base = values.low
        low, high = min(values.low, base), max(values.high, base)
        declared.Float(path, low, high, sampling="log" if values.log else "linear", default=base)
    return declared
