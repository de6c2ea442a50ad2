"""`tfrec tune`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

if TYPE_CHECKING:
    from rich.table import Table

    from tuner.search import SearchResult


@command_errors
def tune(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    trials: Annotated[int, typer.Option(min=1, help="Trainings in all, the configuration's own values first.")] = 8,
    minutes_per_trial: Annotated[
        float | None, typer.Option(help="Time budget of each; empty keeps training.max_minutes.")
    ] = None,
) -> None:
    """Search learning rates and regularisation by the dev score; continues where a killed search was."""
    parsed = read_config(config, overrides)
    from tuner.search import search

    result = search(parsed, trials, minutes_per_trial)
    console.print(_table(result))
    for sentence in _sentences(result):
        console.print(sentence, highlight=False, soft_wrap=True)


def _table(result: SearchResult) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title="Trials by dev score", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("trial", justify="right")
    paths = list(result.best.values)
    names = [path.rpartition(".")[2] for path in paths]
    for path, name in zip(paths, names, strict=True):
        table.add_column(name.replace("_", " ") if names.count(name) == 1 else path, justify="right", min_width=8)
    table.add_column("steps", justify="right")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for trial in sorted(result.trials, key=lambda t: (t.score is None, -(t.score or 0.0))):
        notes = ["default"] if trial.number == 0 else []
        notes += ["best"] if trial.number == result.best.number else []
        notes += ["failed"] if trial.score is None else []
        table.add_row(
            str(trial.number),
            *(f"{trial.values[path]:.3g}" for path in paths),
            "" if trial.steps is None else str(trial.steps),
            "" if trial.score is None else f"{trial.score:.4f}",
            ", ".join(notes),
        )
    return table


def _sentences(result: SearchResult) -> list[str]:
    best, default = result.best, next((t for t in result.trials if t.number == 0), None)
    if best.number == 0:
        sentences = ["No trial stood above the configuration's own values on dev: there is nothing to change."]
    elif default is None or default.score is None or best.score is None:
        sentences = [f"Best on dev: trial {best.number}; the configuration's own values failed, so there is no gain."]
    else:
        gain = best.score - default.score
        sentences = [f"Trial {best.number} stands {gain:+.4f} above the configuration's own values on dev."]
        sentences.append(
            f"Dev also chose it among {len(result.trials)} trials, each trained once with one seed: the gain is "
            "flattered by that choice, and no paired test has been run on it yet."
        )
    sentences += [f"Trial {t.number} failed: {t.reason}" for t in result.trials if t.score is None]
    return [*sentences, f"Written: {result.best_config} (train it with `tfrec train --config {result.best_config}`)"]
