"""A search over configurations: trials on shared data, finals with fresh seeds, what was found."""

from __future__ import annotations

import os

from tfrec.config import Config, plain_yaml
from tfrec.errors import ConfigError, TrainingError
from tfrec.files import atomic_write
from tfrec.tuner.fields import with_values
from tfrec.tuner.finals import run_finals
from tfrec.tuner.folder import Order, alone_at_search, trial_folder, write_order
from tfrec.tuner.isolated import run_isolated
from tfrec.tuner.plan import TRAINING, Plan
from tfrec.tuner.results import TrialResult, best_of
from tfrec.tuner.search_result import SearchResult
from tfrec.tuner.space import space_of
from tfrec.tuner.training import forget_checkpoints


def search(config: Config, objective: str = TRAINING) -> SearchResult | None:
    """Searches for the configuration with the best dev score; a killed search goes on where it was.

    Trial 0 is the configuration itself, and only a paired test over fresh seeds makes another one the best, so that a
    search can only win. Only dev chooses: test is never read. With KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and
    KERASTUNER_ORACLE_PORT in the environment this is the chief (its id holds "chief") or a worker of a search over
    several machines that share runs_dir.

    Args:
        config: the base configuration; section tune says what to search and how; its seed is the search's and every
            trial's. More trials or minutes than before continue a finished search.
        objective: module with `prepare` and `run`, as tfrec.tuner.training has them.

    Returns:
        the trials and what they came to; None for a worker, whose chief tells.

    Raises:
        ConfigError: the space names an unknown field; the search to be resumed was begun with something else; both
            steps and minutes of a trial are given; the time budget does not reach the first training step; the
            environment names a chief, but not all of it.
        EvaluationError: the dev split is empty.
        TrainingError: no trial trained to its end.
        BusyError: another process is at the same search.
    """
    plan = Plan(base_of(config), space_of(config), objective)
    _check_rungs(config)
    role = _role()
    if role == "worker":
        from tfrec.tuner.worker import work

        work(plan)
        return None
    plan.check_same()
    with alone_at_search(plan.folder):
        _share(plan, config)
        (plan.folder / "result.json").unlink(missing_ok=True)
        _run_trials(plan, role == "chief")
        return conclude(plan, config)


def base_of(config: Config) -> Config:
    """The configuration of trial 0: the base with the trials' time budget."""
    minutes = config.tune.minutes_per_trial
    if minutes is None:
        return config
    if config.training.max_steps is not None:
        raise ConfigError(
            f"tune.minutes_per_trial = {minutes:g} would end no training, because training.max_steps = "
            f"{config.training.max_steps} decides alone: leave it out, or set training.max_steps=null."
        )
    return with_values(config, {"training.max_minutes": minutes})


def conclude(plan: Plan, config: Config) -> SearchResult:
    """Runs the finals that have not been run, and leaves what the search found in its folder.

    Raises:
        TrainingError: no trial trained to its end.
    """
    from tfrec.tuner.outputs import write_outputs

    results, best = _results_of(plan)
    finals = run_finals(plan, results, config.tune.workers)
    if finals is not None:
        best = finals.winner or results[0]
    target = plan.folder / "best.yaml"
    atomic_write(target, _yaml(config, best))
    candidate = plan.folder / "candidate.yaml"
    if finals is not None and finals.winner is None and finals.leader is not None:
        atomic_write(candidate, _yaml(config, finals.leader))
    else:
        candidate.unlink(missing_ok=True)
    result = SearchResult(results, best, finals, target, candidate if candidate.exists() else None)
    write_outputs(plan, result)
    for trial in results:
        if trial is not best:
            forget_checkpoints(trial_folder(plan.folder, trial.number))
    return result


def report_as_it_stands(plan: Plan) -> None:
    """Writes report.html, trials.parquet and TensorBoard's events of a search that has not ended.

    Raises:
        TrainingError: no trial has trained to its end yet.
    """
    from tfrec.tuner.outputs import write_pages

    results, best = _results_of(plan)
    write_pages(plan, SearchResult(results, best, None, plan.folder / "best.yaml", ended=False))


def _results_of(plan: Plan) -> tuple[list[TrialResult], TrialResult]:
    """All trials that have ended, and the one with the highest score."""
    from tfrec.tuner.results import read_results

    results = read_results(plan.folder, plan.config, plan.space)
    best = best_of(results)
    if best is None:
        first = f"; the first failed with: {results[0].reason}" if results else " so far."
        raise TrainingError(f"No trial of {len(results)} trained to its end{first}")
    return results, best


def _role() -> str:
    """What the environment makes of this process: "chief" or "worker" of a cluster; "" in a search by itself."""
    names = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
    missing = [name for name in names if not os.environ.get(name)]
    if len(missing) == len(names):
        return ""
    if missing:
        raise ConfigError(
            f"The environment has {' and '.join(name for name in names if name not in missing)}, but not "
            f"{' and '.join(missing)}: a search over several machines needs all three, one on this machine none."
        )
    return "chief" if "chief" in os.environ["KERASTUNER_TUNER_ID"] else "worker"


def _yaml(config: Config, trial: TrialResult) -> str:
    """The base with a trial's values, and with the base's own name and time budget."""
    return plain_yaml(with_values(config, trial.values if trial.number else {}))


def _check_rungs(config: Config) -> None:
    if config.tune.oracle != "hyperband":
        return
    if config.training.evaluations < config.tune.factor:
        raise ConfigError(
            f"Hyperband compares trials at their evaluations and needs at least tune.factor = {config.tune.factor} of "
            f"them: set training.evaluations to {config.tune.factor} or {config.tune.factor**2}."
        )
    if config.synthesis.rounds > 1:
        raise ConfigError("Hyperband cannot halt trainings with synthesis.rounds: set it to 1, or another tune.oracle.")


def _share(plan: Plan, config: Config) -> None:
    """Makes what all trials share, in a process that gives its memory back."""
    folder = plan.folder / "prepare"
    atomic_write(plan.folder / "base.yaml", plain_yaml(plan.config))
    (folder / "outcome.json").unlink(missing_ok=True)
    write_order(folder, config, Order(0, plan.objective, task="prepare"))
    outcome = run_isolated(folder)
    if outcome.score is None:
        raise TrainingError(f"What all trials share could not be made: {outcome.reason}")
    plan.check_same(str(outcome.facts["data"]))


def _run_trials(plan: Plan, cluster: bool) -> None:
    # KerasTuner takes seconds to import, which a mistake in the configuration should not cost.
    from tfrec.tuner.board import Board

    workers = plan.config.tune.workers
    with Board(plan) as board:
        if cluster or workers > 1:
            from tfrec.tuner.chief import lead

            lead(plan, 0 if cluster else workers, board.changed)
        else:
            from tfrec.tuner.tuner import TrialTuner

            TrialTuner(plan, 1, board.changed).search()
