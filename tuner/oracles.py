"""KerasTuner's oracles, each made durable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadpoolctl import threadpool_limits  # scikit-learn, which KerasTuner's Gaussian process needs, brings it

from tfrec.config import Config
from tfrec.tuner.durable import Durable
from tfrec.tuner.encoding import declare
from tfrec.tuner.kerastuner import keras_tuner
from tfrec.tuner.space import Space

_RANDOM_TRIALS = 4  # at least, with the configuration's own; the Gaussian process proposes from then on
_NOISE = 0.01  # variance of a dev score that is chance, as a share of the variance over trials


class DurableRandom(Durable, keras_tuner.oracles.RandomSearchOracle):
    """Every trial is drawn from the space anew."""


class _Gaussian(keras_tuner.oracles.BayesianOptimizationOracle):
    """A Gaussian process over the finished trials proposes where the score may be highest."""

    trials: dict[str, Any]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the most promising values; a random choice where those have been tried (KerasTuner repeats them)."""
        with threadpool_limits(1):  # threads that wait for so small matrices take the cores from the trials
            answer = super().populate_space(trial_id)
        if answer["status"] == "RUNNING" and self._compute_values_hash(answer["values"]) in self._tried_so_far:
            return self._random_populate_space()
        return answer

    def _vectorize_trials(self) -> Any:
        """Trials as points; for those that run, KerasTuner guesses scores by whatever it has fitted before, if that."""
        if self.ongoing_trials:
            everything = self.trials
            self.trials = {name: trial for name, trial in everything.items() if trial.status == "COMPLETED"}
            try:
                self.gpr.fit(*super()._vectorize_trials())
            finally:
                self.trials = everything
        return super()._vectorize_trials()


class DurableBayesian(Durable, _Gaussian):
    """A Gaussian process, started from random trials."""


class _Brackets(keras_tuner.oracles.HyperbandOracle):
    """Many trials for a part of their training, the best of them for longer (Li et al. 2018, arXiv 1603.06560).

    Trial 0, the base configuration, trains to its end outside all brackets. What each bracket needs next is read from
    the trials alone, so that nothing is lost in a kill; and a failed trial counts as one that is thrown out, where
    KerasTuner's own bracket would wait for it for ever.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the first thing that a bracket, in their order, has to do; tuner/trial_id names what it continues."""
        for iteration in range(int(self.hyperband_iterations)):
            for bracket in reversed(range(self._get_num_brackets())):
                values = self._next_in(iteration, bracket)
                if values is not None:
                    return {"status": "RUNNING", "values": values}
        return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}

    def _next_in(self, iteration: int, bracket: int) -> dict[str, Any] | None:
        where = {"tuner/iteration": iteration, "tuner/bracket": bracket}
        rounds: list[list[Any]] = [[] for _ in range(self._get_num_rounds(bracket))]
        for name in sorted(self.trials, key=int):
            values = self.trials[name].hyperparameters.values
            if all(values.get(key) == value for key, value in where.items()):
                rounds[values["tuner/round"]].append(self.trials[name])
        expected = self._get_size(bracket, 0)
        if len(rounds[0]) < expected:
            drawn = self._random_values()
            if drawn is not None:
                return drawn | where | self._rung(bracket, 0)
            expected = len(rounds[0])  # the space holds no more
        for number in range(1, len(rounds)):
            before, now = rounds[number - 1], rounds[number]
            promoted = {trial.hyperparameters.values["tuner/trial_id"] for trial in now}
            waiting = [t for t in before if t.status == "COMPLETED" and t.trial_id not in promoted]
            failed = sum(trial.status == "FAILED" for trial in before)
            size = min(self._get_size(bracket, number), expected - failed)
            if len(now) < size and waiting and len(waiting) + failed > expected - size:
                best = max(waiting, key=lambda trial: trial.score)
                values = {k: v for k, v in best.hyperparameters.values.items() if not k.startswith("tuner/")}
                return values | where | self._rung(bracket, number) | {"tuner/trial_id": best.trial_id}
            expected = max(size, len(now))
        return None

    def _rung(self, bracket: int, number: int) -> dict[str, int]:
        begun = self._get_epochs(bracket, number - 1) if number else 0
        return {
            "tuner/round": number, "tuner/epochs": self._get_epochs(bracket, number), "tuner/initial_epoch": begun
        }  # fmt: skip

    def _compute_values_hash(self, values: Mapping[str, Any]) -> str:
        return super()._compute_values_hash({k: v for k, v in values.items() if k != "tuner/iteration"})

    def get_state(self) -> dict[str, Any]:
        """What oracle.json holds; the brackets are read from the trials."""
        return super().get_state() | {"brackets": [], "current_bracket": 0, "current_iteration": 0}


class DurableHyperband(Durable, _Brackets):
    """Hyperband after a first trial that trains to its end."""

    def _default_values(self) -> dict[str, Any]:
        whole = {"tuner/epochs": self.max_epochs, "tuner/initial_epoch": 0, "tuner/bracket": -1, "tuner/round": 0}
        return super()._default_values() | whole


def make_oracle(config: Config, space: Space) -> Durable:
    """The oracle that section tune asks for.

    Args:
        config: the base configuration; its seed is the search's.
        space: what varies.
    """
    settings = config.tune
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective("score", "max"),
        "seed": config.seed + 1,  # KerasTuner takes 0 for no seed
        "hyperparameters": declare(config, space),
        "max_consecutive_failed_trials": 1 << 30,  # failed trials never end a search
    }
    oracle: Any
    if settings.oracle == "hyperband":
        oracle = DurableHyperband(
            max_epochs=config.training.evaluations, factor=settings.factor, hyperband_iterations=settings.iterations,
            **shared,
        )  # fmt: skip
    elif settings.oracle == "bayesian":
        random = max(_RANDOM_TRIALS, min(2 * len(space), settings.trials // 3))
        oracle = DurableBayesian(max_trials=settings.trials, num_initial_points=random, alpha=_NOISE, **shared)
    else:
        oracle = DurableRandom(max_trials=settings.trials, **shared)
    oracle.verbose = 0
    return oracle
