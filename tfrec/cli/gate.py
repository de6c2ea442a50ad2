"""`tfrec gate`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

REFUSED, DOUBTED = 3, 4  # exit codes


@command_errors
def gate(
    config: ConfigOption = DEFAULT_CONFIG,
    candidate: Annotated[int | None, typer.Option(help="Version to judge; else the newest.", min=0)] = None,
    against: Annotated[
        int | None, typer.Option(help="Version to compare with; else the stable one, or the one before.", min=0)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the slices that passed, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """Judge a version beside the one that is served, before `tfrec promote`.

    Exit code 0 is a pass, 3 a refusal, 4 doubt.
    """
    parsed = read_config(config, overrides)
    from tfrec.lifecycle.gate.judging import judge
    from tfrec.lifecycle.verdict_file import DOUBTFUL, PASS, REFUSE
    from tfrec.pipeline.reading import data_to_read
    from tfrec.pipeline.run_folder import RunFolder

    verdict, checks = judge(parsed, data_to_read(parsed), RunFolder(parsed).export, candidate, against)
    if as_json:
        console.print_json(json.dumps(asdict(verdict) | {"sha256": verdict.sha256}, ensure_ascii=False))
    else:
        for check in checks:
            if every or check.outcome != PASS or "kind" not in check.numbers:
                console.print(f"{check.outcome:9}{check.sentence}", highlight=False, soft_wrap=True, markup=False)
        for sentence in verdict.drift_alerts:
            console.print(f"drift    {sentence}", highlight=False, soft_wrap=True, markup=False)
        for note in verdict.numbers["notes"]:
            console.print(f"note     {note}", highlight=False, soft_wrap=True, markup=False)
        beside = "" if verdict.against is None else f" beside version {verdict.against}"
        console.print(f"Verdict on version {verdict.version}{beside}: {verdict.outcome}.", highlight=False)
    if verdict.outcome != PASS:
        raise typer.Exit({REFUSE: REFUSED, DOUBTFUL: DOUBTED}[verdict.outcome])
