"""`tfrec export`."""

from __future__ import annotations

from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def export(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    shards: Annotated[
        int, typer.Option(help="Parts of the catalogue, each an export for a server of its own; 0 = the whole in one.")
    ] = 0,
) -> None:
    """Write a trained model as a SavedModel that stock TensorFlow Serving runs; the same model is not written twice."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline import api

    if shards:
        for folder in api.export_shards(api.load(parsed), shards):
            console.print(f"Exported: {folder}", highlight=False, soft_wrap=True)
        return
    console.print(f"Exported: {api.export(api.load(parsed))}", highlight=False, soft_wrap=True)
