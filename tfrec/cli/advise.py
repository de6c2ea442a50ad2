"""`tfrec advise`: what a shop's own data says before any training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Optional

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def advise(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    queries: Annotated[
        Optional[Path], typer.Option(help="File of queries without labels: columns query and, if known, count.")  # noqa: UP045
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Queries to propose for labelling.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    output: Annotated[
        Optional[Path], typer.Option(help="CSV to fill in: a row for each item of the proposed queries.")  # noqa: UP045
    ] = None,
) -> None:
    """Say which fields help, whether training or labels are likely to, and which queries to label next."""
    parsed = read_config(config, overrides)
    from tfrec.files import atomic_write
    from tfrec.pipeline.advice.advise import advise as look
    from tfrec.pipeline.advice.told import tables, to_label

    advice = look(parsed, queries, count)
    if as_json:
        typer.echo(json.dumps(advice.to_json(), indent=2, ensure_ascii=False))
    else:
        for part in tables(advice):
            console.print(part, highlight=False)
    if output is not None:
        atomic_write(output, to_label(advice))
        typer.echo(f"Wrote {output}: give each row a gain from 0 to 1 and name the file in data.searches.", err=True)
