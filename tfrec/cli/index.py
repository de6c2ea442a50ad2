"""`tfrec index update`."""

from __future__ import annotations

from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

app = typer.Typer(help="The catalogue that a trained model serves.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `update` a command of its own while it is the only one."""


@app.command()
@command_errors
def update(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    items: Annotated[str, typer.Option(help="Another file of items; empty reads data.items again.")] = "",
) -> None:
    """Take new and changed items into the next export, without training."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline.update_index import update_index

    done = update_index(parsed, items or None)
    told = f"{done.new} new, {done.changed} changed, {done.removed} removed, {done.kept} as they were"
    console.print(f"Items: {told}.", highlight=False)
    console.print(f"Exported: {done.export}", highlight=False, soft_wrap=True)
