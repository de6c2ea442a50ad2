"""`tfrec drift`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

ALERT = 3  # exit code


@command_errors
def drift(
    config: ConfigOption = DEFAULT_CONFIG,
    against: Annotated[int | None, typer.Option(help="Version; else the stable one, or the newest.", min=0)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    tables: Annotated[
        Path | None, typer.Option(help="New folder for both sides as Parquet, as Evidently reads.")
    ] = None,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """Tell how far the shop's files as they are now lie from the data that the served version was made of.

    Queries, catalogue, purchases and vectors. Exit code 3 where something is beyond its limit in `drift:`.
    """
    parsed = read_config(config, overrides)
    from tfrec.data.prepare import prepare
    from tfrec.lifecycle.drifting import drift_since
    from tfrec.pipeline.run_folder import RunFolder

    shop = prepare(parsed, trains=False)
    version, found = drift_since(parsed, shop, RunFolder(parsed).export, against)
    if tables is not None:
        from tfrec.lifecycle.drift_tables import write_tables

        write_tables(parsed, shop, version, tables)
    if as_json:
        console.print_json(json.dumps({"version": version, "findings": [one.to_json() for one in found]}))
    else:
        console.print(f"Since version {version}:", highlight=False)
        for one in found:
            console.print(
                f"{'alert' if one.alert else '':7}{one.sentence}", highlight=False, soft_wrap=True, markup=False
            )
        if not found:
            console.print("Too little of everything to compare (drift.least).", highlight=False)
    if any(one.alert for one in found):
        raise typer.Exit(ALERT)
