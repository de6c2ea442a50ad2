"""`tfrec train` and `tfrec evaluate`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.local_workers import LOST, end_with_parent, run_local_workers, watched
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.cluster import follows, join
from tfrec.errors import WorkerLostError


@command_errors
def train(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    only: Annotated[bool, typer.Option("--only", help="Train, but do not evaluate and export.")] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            help="Processes that train together here, each on its share of the cores. On several machines TF_CONFIG "
            "names the workers instead, and each is started without this.",
        ),
    ] = 1,
) -> None:
    """Take a shop's files to a trained, measured and exported model; continues where a killed run was."""
    parsed = read_config(config, overrides)
    if workers > 1:
        settings = [word for override in overrides for word in ("--set", override)]
        again = ["train", "--config", str(config), *settings, *(["--only"] if only else [])]
        if code := run_local_workers(workers, again):
            raise typer.Exit(code)
        return
    end_with_parent()
    join()
    from tfrec.pipeline import api

    try:
        trained = api.train(parsed)
    except WorkerLostError as error:
        if not watched():
            print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(LOST) from None
    if follows():
        return
    if only:
        console.print(_told(trained.summary), highlight=False)
        return
    unmeasured = _unmeasured(trained)
    reports = {} if unmeasured else api.evaluate(trained)
    folder = api.export(trained)  # before anything is printed: a terminal that is gone must not cost the export
    page = api.report(parsed)
    console.print(_told(trained.summary), highlight=False)
    _print_choices(trained)
    if unmeasured:
        console.print(unmeasured, highlight=False)
    print_reports(reports)
    console.print(f"Report: {page}", highlight=False, soft_wrap=True)
    console.print(f"Exported: {folder}", highlight=False, soft_wrap=True)


@command_errors
def evaluate(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    split: Annotated[str, typer.Option(help="test, dev or folds; empty takes what there is, in this order.")] = "",
) -> None:
    """Measure a trained model beside its baselines on the whole catalogue."""
    parsed = read_config(config, overrides)
    from tfrec.errors import EvaluationError
    from tfrec.pipeline import api

    if split not in ("", "dev", "test", "folds"):
        raise EvaluationError(f"--split must be test, dev or folds, not {split!r}.")
    trained = api.load(parsed)
    reports = api.evaluate(trained, split or None)
    api.report(parsed)
    _print_choices(trained)
    print_reports(reports)


def print_reports(reports: dict[str, Any]) -> None:
    """Prints the tables and the comparisons in words for each task."""
    for report in reports.values():
        for table in report.tables():
            console.print(table)
        for sentence in report.sentences():
            console.print(sentence, highlight=False)


def _print_choices(trained: Any) -> None:
    for sentence in trained.told():
        console.print(f"Chosen: {sentence}.", highlight=False, soft_wrap=True)


def _unmeasured(trained: Any) -> str:
    """Why this shop cannot be measured, "" when it can be."""
    from tfrec.errors import EvaluationError
    from tfrec.evaluation.protocol import choose_splits

    try:
        choose_splits(trained.shop, None)
    except EvaluationError as error:
        return f"Not measured. {error}"
    return ""


def _told(summary: dict[str, Any]) -> str:
    if summary["stopped"] == "untrained":
        return "Towers: left as they are"
    ended = "dev stopped gaining" if summary["stopped"] == "patience" else "schedule complete"
    return (
        f"Trained {summary['steps']} steps in {summary['seconds'] / 60:.1f} min "
        f"({summary['pairs_per_second']:.0f} pairs/s, {ended})"
    )
