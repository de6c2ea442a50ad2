"""`tfrec demo`: a search page on a served model."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.waiting import terminated_as_interrupted, wait_for_interrupt


@command_errors
def demo(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Configuration of the run that is shown.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder that is shown.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Export folder to serve; it holds what is shown of the items.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="A running model server, host:port; without it one is started.")
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="Name of the served model [tfrec].")] = None,
    ca: Annotated[Path | None, typer.Option(help="Authority of the target's certificate (PEM); encrypts.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the bearer token for the target.")] = None,
    host: Annotated[str, typer.Option(help="Interface that the page is on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page, 0 takes a free one.")] = 8080,
) -> None:
    """Open a search page on a model: results with their score parts, similar items, recommendations."""
    from tfrec.cli.places import export_folder, run_folder, serving_settings

    name = model_name or serving_settings(config).model_name
    folder = run_folder(run, config)
    if folder is None and export is not None:
        folder = export.resolve().parent
    base = export if export is not None or folder is None else folder / "export"

    from tfrec.pipeline.reading import catalogue_file

    items = None if folder is None else catalogue_file(folder)

    from tfrec.errors import ServingError
    from tfrec.serving.client import Client, ClientError, Tls
    from tfrec.serving.demo.catalogue import Catalogues
    from tfrec.serving.demo.server import DemoServer
    from tfrec.serving.demo.shop import DemoShop

    if target is None and (ca is not None or token_file is not None):
        raise ServingError("--ca and --token-file are about a running server: name it with --target HOST:PORT.")
    with contextlib.ExitStack() as stack:
        stack.enter_context(terminated_as_interrupted())
        catalogues = Catalogues(base, items)
        if target is None:
            model = export_folder(export, run, config)
            console.print(f"Loading {model} ...", highlight=False, soft_wrap=True)
            from tfrec.serving.server.server import ModelServer

            target = stack.enter_context(ModelServer(model, name, port=0)).address
        try:
            tls = Tls(ca) if ca is not None else None
            client = stack.enter_context(Client(target, name, tls=tls, token_file=token_file))
            client.wait_until_ready(2)
        except ClientError as error:
            raise ServingError(error.message) from None
        page = stack.enter_context(DemoServer(DemoShop(client, catalogues), host, port))
        console.print(f"The page is at {page.url} (stop with Ctrl-C).", highlight=False, soft_wrap=True)
        with contextlib.suppress(KeyboardInterrupt):
            wait_for_interrupt()
    console.print("Stopped.")
