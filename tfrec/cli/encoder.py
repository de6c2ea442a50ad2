"""`tfrec encoder install | list | show`: the text encoders on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.output import utf8_output

app = typer.Typer(help="Install and list text encoders.", no_args_is_help=True)


@app.command("install")
@command_errors
def install_command(
    source: Annotated[
        str,
        typer.Argument(
            help="minilm, multilingual, or a folder of Hugging Face, sentence-transformers or Model2Vec.",
            metavar="NAME|PATH",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Its name here; by default that name or the folder's.")] = None,
) -> None:
    """Install an encoder as a TF-Hub SavedModel pair."""
    from tfrec.encoder.install import install

    with console.status(f"installing {source} ..."):
        encoder = install(source, name)
    console.print(f"installed [bold]{encoder.name}[/bold] in {encoder.folder}")


@app.command("list")
@command_errors
def list_command() -> None:
    """List the installed encoders."""
    from rich.table import Table

    from tfrec.encoder.store import home, installed

    encoders = installed()
    if not encoders:
        console.print(f"No encoder is installed in {home()}: run `tfrec encoder install minilm`.")
        return
    table = Table("name", "layers", "hidden", "heads", "word pieces", "licence", "source")
    for encoder in encoders:
        sizes = encoder.facts["sizes"]
        numbers = [str(sizes[key]) for key in ("layers", "hidden", "heads", "vocabulary")]
        table.add_row(encoder.name, *numbers, encoder.facts["licence"], encoder.facts["source"])
    console.print(table)


@app.command("show")
@command_errors
def show_command(name: Annotated[str, typer.Argument(help="An installed encoder.")]) -> None:
    """Show what is known about one encoder, as JSON."""
    import json

    from tfrec.encoder.store import find, installed
    from tfrec.errors import EncoderError

    encoder = find(name)
    if encoder is None:
        names = ", ".join(one.name for one in installed()) or "none"
        raise EncoderError(f"No encoder named {name!r} is installed (installed: {names}): run `tfrec encoder install`.")
    facts = {**encoder.facts, "encoder": str(encoder.encoder), "preprocessor": str(encoder.preprocessor)}
    utf8_output()
    console.print_json(json.dumps(facts, ensure_ascii=False))
