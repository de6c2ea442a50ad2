"""`tfrec data prepare | inspect | download`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

app = typer.Typer(help="Prepare, look at and fetch data.", no_args_is_help=True)


@app.command()
@command_errors
def prepare(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    beam: Annotated[
        str | None,
        typer.Option(
            help="Read and sort data.interactions as an Apache Beam pipeline with these options, such as "
            "'--runner=FlinkRunner --flink_master=host:8081'; '' runs it here."
        ),
    ] = None,
) -> None:
    """Read, check, clean and split a shop's files; skipped when nothing has changed."""
    from tfrec.data.places import TABLES
    from tfrec.data.prepare import prepare as prepare_data
    from tfrec.pipeline.cleaning import forget_unused_data
    from tfrec.pipeline.run_folder import RunFolder

    parsed = read_config(config, overrides)
    run = RunFolder(parsed)
    with run.alone:
        shop = prepare_data(parsed, beam=None if beam is None else shlex.split(beam))
        forget_unused_data(run, [shop.hash])
    report = shop.report
    tables = ", ".join(
        f"{report[name]['rows_kept']:,} {name}" for name in ("items", "searches", "interactions") if name in report
    )
    examples = ", ".join(f"{count:,} {kind}" for kind, count in report["examples"].items())
    typer.echo(f"{shop.folder}: {tables}; training examples: {examples}.")
    for name in TABLES:
        faults = report.get(name, {}).get("faults", {})
        if faults.get("count"):
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in faults["kinds"].items())
            typer.echo(f"{name}: faulty rows: {kinds} (see `tfrec data inspect`).")
        values = report.get(name, {}).get("values", {})
        if values.get("count"):
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in values["kinds"].items())
            typer.echo(f"{name}: values left empty: {kinds} (see `tfrec data inspect`).")
        for note in report.get(name, {}).get("notes", []):
            typer.echo(f"{name}: {note}.")


@app.command()
@command_errors
def inspect(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Show the prepared data: columns, examples, splits, what cleaning changed, faults."""
    from tfrec.cli.data_tables import overview
    from tfrec.pipeline.reading import data_to_read

    for part in overview(data_to_read(read_config(config, overrides))):
        console.print(part)


@app.command()
@command_errors
def download(
    name: Annotated[str, typer.Argument(help="esci or online_retail.")],
    to: Annotated[Path, typer.Option(help="Folder of all downloads.")] = Path("downloads"),
    trust: Annotated[bool, typer.Option("--trust", help="Keep a file whose checksum is not known in advance.")] = False,
) -> None:
    """Fetch a public data set from its publisher."""
    from tfrec.data.download import download as fetch

    folder = fetch(name, to, trust)
    typer.echo(f"{folder}: train on it with `tfrec train --config configs/{name}.yaml --set data.root={folder}`.")
