"""`tfrec serve`: the embedded model server in the foreground."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console


@command_errors
def serve(
    export: Annotated[
        Path | None, typer.Option(help="Export folder with version folders (or one version folder).")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Configuration of the run whose export is served.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder whose export is served.")] = None,
    model_name: Annotated[str | None, typer.Option(help="Name that requests give [tfrec].")] = None,
    host: Annotated[str | None, typer.Option(help="Interface to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="gRPC port, 0 takes a free one [8500].")] = None,
    rest_port: Annotated[int | None, typer.Option(help="Port of REST and metrics, 0 takes a free one [none].")] = None,
    tls: Annotated[Path | None, typer.Option(help="TLS for both ports: TF Serving's ssl_config_file.")] = None,
    tokens: Annotated[Path | None, typer.Option(help="Bearer tokens for both ports, one on each line.")] = None,
    threads: Annotated[
        int, typer.Option(help="Threads inside one TensorFlow op; batches run on all cores anyway.")
    ] = 1,
    grace: Annotated[float, typer.Option(help="Seconds that running requests have to finish at the end.")] = 10.0,
) -> None:
    """Serve an export with TF Serving's gRPC and REST protocols, until Ctrl-C or SIGTERM.

    What `tfrec promote`, `tfrec rollback` and `tfrec traffic` say is followed; before the first promotion the newest
    version is served.
    """
    from tfrec.cli.places import export_folder, serving_settings
    from tfrec.serving.server.numbers import MOST_THREADS, seconds, whole

    whole("--threads", threads, 1, MOST_THREADS)
    seconds("--grace", grace)
    settings = serving_settings(config)
    folder = export_folder(export, run, config)
    name = model_name or settings.model_name
    console.print(f"Loading {folder} ...", highlight=False, soft_wrap=True)

    from tfrec.serving.server.sessions.threads import limit_tensorflow_threads

    limit_tensorflow_threads(threads)  # before the next line imports TensorFlow

    from tfrec.serving.server.configuration.config_files import read_tls_config
    from tfrec.serving.server.configuration.promoted import follow_promotions, promoted_model
    from tfrec.serving.server.configuration.traffic_file import TRAFFIC, follow_traffic, read_traffic
    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.main import serve as serve_forever
    from tfrec.serving.server.security.tokens import TokenFile
    from tfrec.serving.server.server import ModelServer, ServerOptions

    frontend = FrontendOptions(
        rest_port=rest_port,
        tls=read_tls_config(tls) if tls is not None else None,
        tokens=TokenFile(tokens) if tokens is not None else None,
    )

    read_traffic(folder / TRAFFIC)  # a mistake ends it before anything is loaded
    configs, seen = promoted_model(folder, name)

    def told(server: ModelServer) -> AbstractContextManager[object]:
        rest = "" if server.rest_port is None else f" and port {server.rest_port} (REST, metrics)"
        sentence = f"Serving the model {name} at {server.address} (gRPC){rest}; stop with Ctrl-C."
        console.print(sentence, highlight=False, soft_wrap=True)
        with ExitStack() as stack:
            stack.enter_context(follow_promotions(folder, name, server.core.reload, seen))
            stack.enter_context(follow_traffic(folder / TRAFFIC, server.divide))
            return stack.pop_all()

    serve_forever(
        folder,
        name,
        settings.host if host is None else host,
        settings.port if port is None else port,
        options=ServerOptions(intra_op=threads, grace_seconds=grace),
        configs=configs,
        frontend=frontend,
        beside=told,
    )
    console.print("Stopped.")
