"""`tfrec train` and `tfrec evaluate`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def train(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    only: Annotated[bool, typer.Option("--only", help="Train, but do not evaluate and export.")] = False,
) -> None:
    """Take a shop's files to a trained, measured and exported model; continues where a killed run was."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline import api

    trained = api.train(parsed)
    if only:
        console.print(_told(trained.summary), highlight=False)
        return
    unmeasured = _unmeasured(trained)
    reports = {} if unmeasured else api.evaluate(trained)
    folder = api.export(trained)  # before anything is printed: a terminal that is gone must not cost the export
    console.print(_told(trained.summary), highlight=False)
    if unmeasured:
        console.print(unmeasured, highlight=False)
    print_reports(reports)
    console.print(f"Exported: {folder}", highlight=False, soft_wrap=True)


@command_errors
def evaluate(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    split: Annotated[str, typer.Option(help="dev or test; empty takes test where there is one.")] = "",
) -> None:
    """Measure a trained model beside its baselines on the whole catalogue."""
    parsed = read_config(config, overrides)
    from tfrec.errors import EvaluationError
    from tfrec.pipeline import api

    if split not in ("", "dev", "test"):
        raise EvaluationError(f"--split must be dev or test, not {split!r}.")
    print_reports(api.evaluate(api.load(parsed), split or None))


def print_reports(reports: dict[str, Any]) -> None:
    """Prints the tables and the comparisons in words for each task."""
    for report in reports.values():
        for table in report.tables():
            console.print(table)
        for sentence in report.sentences():
            console.print(sentence, highlight=False)


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
    judged = [evaluation for evaluation in summary["evaluations"] if "score" in evaluation]
    chosen = "no dev split to choose by, so the last weights are kept"
    if judged:
        best = max(judged, key=lambda e: e["score"])
        scores = ", ".join(f"{name} {value:.3f}" for name, value in best.items() if " " in name)
        chosen = f"best at step {best['step']:.0f} on dev: {scores}"
    ended = "dev stopped gaining" if summary["stopped"] == "patience" else "schedule complete"
    return (
        f"Trained {summary['steps']} steps in {summary['seconds'] / 60:.1f} min "
        f"({summary['pairs_per_second']:.0f} pairs/s, {ended}); {chosen}"
    )
