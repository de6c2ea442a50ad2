"""`tfrec push` and `tfrec pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console

Config = Annotated[Path | None, typer.Option("--config", "-c", help="Configuration whose run is meant.")]
Export = Annotated[Path | None, typer.Option("--export", help="Folder of versions here, in the place of --config.")]
Place = Annotated[str, typer.Argument(help="Folder of versions there: a path, s3://, gs:// or az://.", metavar="URL")]


@command_errors
def push(target: Place, config: Config = None, export: Export = None) -> None:
    """Copy the newest export to a folder, S3, GCS or Azure; what is there already stays."""
    from tfrec.cli.places import export_folder
    from tfrec.export.remote import push as send

    console.print(f"Pushed: {send(export_folder(export, None, config), target)}", highlight=False, soft_wrap=True)


@command_errors
def pull(
    source: Place,
    config: Config = None,
    export: Export = None,
    version: Annotated[int | None, typer.Option(min=0, help="Which; else the newest.")] = None,
) -> None:
    """Copy an export from there and verify every file before it can be served."""
    from tfrec.cli.places import export_folder
    from tfrec.export.remote import pull as fetch

    folder = fetch(source, export_folder(export, None, config), version)
    console.print(f"Pulled: {folder}", highlight=False, soft_wrap=True)
