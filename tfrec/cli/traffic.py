"""`tfrec traffic`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfrec.cli.console import command_errors, console


@command_errors
def traffic(
    export: Annotated[Path | None, typer.Option(help="Export folder with version folders.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Configuration of the run.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder.")] = None,
    canary: Annotated[
        float | None, typer.Option(help="Share of the shoppers that the version `canary` answers.", min=0, max=1)
    ] = None,
    shadow: Annotated[
        float | None, typer.Option(help="Share of the requests that are mirrored to it.", min=0, max=1)
    ] = None,
    salt: Annotated[str | None, typer.Option(help="Chooses other shoppers; empty: by the version's number.")] = None,
    idle_only: Annotated[
        bool | None, typer.Option("--idle-only/--always", help="Mirror only while no request is being answered.")
    ] = None,
) -> None:
    """Say which share of the shoppers a canary answers and which share of the requests is mirrored; show it without.

    `tfrec promote N --as canary` loads the version; servers follow both without a restart.
    """
    from tfrec.cli.places import export_folder
    from tfrec.serving.server.configuration.traffic_file import TRAFFIC, TrafficSettings, read_traffic, write_traffic

    file = export_folder(export, run, config) / TRAFFIC
    tree: dict[str, dict[str, Any]] = read_traffic(file).model_dump()
    given = {
        ("canary", "share"): canary, ("canary", "salt"): salt, ("shadow", "share"): shadow,
        ("shadow", "idle_only"): idle_only,
    }  # fmt: skip
    for (section, field), value in given.items():
        if value is not None:
            tree[section][field] = value
    settings = TrafficSettings.model_validate(tree)
    if any(value is not None for value in given.values()):
        write_traffic(file, settings)
    sides = settings.canary, settings.shadow
    told = f"{sides[0].share:.1%} of the shoppers to `{sides[0].label}`, {sides[1].share:.1%} of the requests mirrored"
    console.print(f"{file}: {told}.", highlight=False, soft_wrap=True, markup=False)
