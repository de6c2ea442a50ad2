"""`tfrec push-index`."""

from __future__ import annotations

from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def push_index(
    engine: Annotated[
        str,
        typer.Option(
            help="postgresql://USER@HOST:PORT/DATABASE, with the extension pgvector; qdrant://HOST:6333, "
            "qdrants://HOST:6333 with TLS, qdrant:///FOLDER for the local mode of Qdrant's client."
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    name: Annotated[str, typer.Option(help="What clients call the catalogue there.")] = "tfrec",
) -> None:
    """Write a trained run's catalogue into a search engine, and an export without it that reads queries for it.

    The same command goes on where it was killed; clients see the new catalogue once it is whole.
    """
    parsed = read_config(config, overrides)
    from tfrec.pipeline.push_index import push_index as push

    done = push(parsed, engine, name)
    console.print(f"Pushed {done.items:,} items to {done.place}.", highlight=False, soft_wrap=True)
    console.print(f"Exported: {done.export}", highlight=False, soft_wrap=True)
