"""`tfrec config init | show | validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.output import utf8_output

app = typer.Typer(help="Write, show and check configuration files.", no_args_is_help=True)


@app.command()
@command_errors
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("shop.yaml"),
    items: Annotated[str, typer.Option(help="The catalogue's file.")] = "items.csv",
    searches: Annotated[str, typer.Option(help="The searches' or judgments' file; empty for none.")] = "searches.csv",
    interactions: Annotated[str, typer.Option(help="The purchases' file; empty for none.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a configuration with every field, its default and its meaning."""
    from tfrec.config import documented_yaml, parse_config
    from tfrec.errors import ConfigError
    from tfrec.files import atomic_write

    if path.exists() and not force:
        raise ConfigError(f"{path} exists already: choose another name or add --force.")
    data = {"items": items, "searches": searches or None, "interactions": interactions or None}
    name = path.stem if path.stem[:1].isalnum() else "shop"
    atomic_write(path, documented_yaml(parse_config({"name": name, "data": data})))
    typer.echo(f"Wrote {path}: set data.root and the file names, then run `tfrec train --config {path}`.")


@app.command()
@command_errors
def show(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Print the whole configuration as it will be used."""
    from tfrec.config import documented_yaml

    utf8_output()
    typer.echo(documented_yaml(read_config(config, overrides)), nl=False)


@app.command()
@command_errors
def validate(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Check a configuration, open its files and say what would be read; nothing is written."""
    from tfrec.cli.data_tables import first_rows, reading_notes
    from tfrec.data.discovery.understood import MOST_ROWS, understand

    parsed = read_config(config, overrides)
    typer.echo(f"{config} is valid: run {parsed.name!r}, seed {parsed.seed}.")
    if parsed.data.demo is not None:
        typer.echo("Its shop is generated when it is trained.")
        return
    utf8_output()
    found = understand(parsed.data, Path(parsed.data.root))
    for name, frame in found.frames.items():
        console.print(first_rows(name, frame, found.reports[name].rows_read))
    for sentence in [*reading_notes(found.reports), *found.doubts]:
        console.print(f"- {sentence}.", markup=False, highlight=False)
    if any(report.rows_read >= MOST_ROWS for report in found.reports.values()):
        console.print(f"- of larger tables the first {MOST_ROWS:,} rows were read.", highlight=False)
