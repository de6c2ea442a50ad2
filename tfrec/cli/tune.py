"""`tfrec tune`, and `tfrec tune show | best | report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

if TYPE_CHECKING:
    from tfrec.config import Config
    from tfrec.tuner.plan import Plan
    from tfrec.tuner.search_result import SearchResult

app = typer.Typer(invoke_without_command=True)


@app.callback()
@command_errors
def tune(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    trials: Annotated[int | None, typer.Option(min=1, help="Trials in all, the default first.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Time budget of the whole search.")] = None,
    minutes_per_trial: Annotated[float | None, typer.Option(help="Time budget of each training.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at a time.")] = None,
    oracle: Annotated[str | None, typer.Option(help="bayesian, random or hyperband.")] = None,
    space: Annotated[str | None, typer.Option(help="rates or wide.")] = None,
) -> None:
    """Search for a better configuration; a killed search goes on where it was.

    Options stand for fields of section tune in the configuration. Any field of encoder, model, training and augment may
    vary, by its path:

    tfrec tune -c shop.yaml --minutes 40 --set 'tune.vary={training.batch_size: [32, 64], model.dropout: {low: 0, high:
    0.4, step: 0.1}, training.learning_rate: {low: 1e-6, high: 1e-4, log: true}}'
    """
    given = {
        "trials": trials, "minutes": minutes, "minutes_per_trial": minutes_per_trial, "workers": workers,
        "oracle": oracle, "space": space,
    }  # fmt: skip
    own = [f"tune.{name}={value}" for name, value in given.items() if value is not None]
    if context.invoked_subcommand is not None:
        if config != DEFAULT_CONFIG or overrides or own:
            from tfrec.errors import ConfigError

            raise ConfigError(f"Options go after the command: `tfrec tune {context.invoked_subcommand} --config FILE`.")
        return
    parsed = read_config(config, [*overrides, *own])
    from tfrec.tuner.search import search

    result = search(parsed)
    if result is None:
        console.print("The chief has no more trials; it tells what was found.")
        return
    _print(result)


@app.command()
@command_errors
def show(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Print the trials of a search as they stand, also while it runs."""
    plan = _plan(read_config(config, overrides))
    from tfrec.tuner.results import best_of, read_results, running
    from tfrec.tuner.tables import trial_table

    results = read_results(plan.folder, plan.config, plan.space)
    console.print(trial_table(results, best_of(results), running(plan.folder)))


@app.command()
@command_errors
def best(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Print what a finished search found: the configuration's changed fields and the finals."""
    plan = _plan(read_config(config, overrides))
    from tfrec.errors import TrainingError
    from tfrec.files import read_json
    from tfrec.tuner.fields import value_at
    from tfrec.tuner.tables import shown

    file = plan.folder / "result.json"
    if not file.is_file():
        raise TrainingError(f"{plan.folder} holds no finished search: run `tfrec tune` to its end first.")
    result = read_json(file)
    for path, value in result["best"]["values"].items():
        before = value_at(plan.config, path)
        note = "" if before == value else f" (default {shown(before)})"
        console.print(f"{path}: {shown(value)}{note}", highlight=False, soft_wrap=True)
    for sentence in result["sentences"]:
        console.print(sentence, highlight=False, soft_wrap=True)


@app.command()
@command_errors
def report(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Write report.html, trials.parquet and TensorBoard's events anew, also while the search runs."""
    plan = _plan(read_config(config, overrides))
    from tfrec.config import load_config
    from tfrec.tuner.folder import alone_at_search
    from tfrec.tuner.search import conclude, report_as_it_stands

    if (plan.folder / "result.json").is_file():
        with alone_at_search(plan.folder):
            conclude(plan, load_config(plan.folder / "prepare" / "config.yaml"))
    else:
        report_as_it_stands(plan)
    console.print(f"Written: {plan.folder / 'report.html'}", highlight=False, soft_wrap=True)


def _plan(config: Config) -> Plan:
    """The search that a configuration's folder holds."""
    from tfrec.config import load_config
    from tfrec.errors import TrainingError
    from tfrec.tuner.folder import read_order, trial_folder, tune_folder
    from tfrec.tuner.plan import Plan
    from tfrec.tuner.space import space_of

    folder = tune_folder(config)
    if not (trial_folder(folder, 0) / "order.json").is_file():
        raise TrainingError(f"{folder} holds no search: run `tfrec tune` first.")
    base = load_config(folder / "base.yaml")
    return Plan(base, space_of(base), read_order(trial_folder(folder, 0)).objective)


def _print(result: SearchResult) -> None:
    from tfrec.tuner.tables import sentences, trial_table

    console.print(trial_table(result.trials, result.best))
    for sentence in sentences(result):
        console.print(sentence, highlight=False, soft_wrap=True)
