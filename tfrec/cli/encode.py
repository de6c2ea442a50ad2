"""`tfrec encode`: the vectors of a whole table, by any number of processes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.errors import ConfigError


@command_errors
def encode(
    table: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet file, gzip or not.")],
    export: Annotated[Path, typer.Option(help="Export folder: its newest version, or one version folder.")],
    output: Annotated[Path, typer.Option(help="Folder of the parts, part-000000.parquet and so on.")],
    id_column: Annotated[str, typer.Option("--id", help="Column of ids.")] = "item_id",
    text_column: Annotated[str, typer.Option("--text", help="Column of texts.")] = "text",
    kind: Annotated[str, typer.Option("--as", help="What the texts are: item or query.")] = "item",
    shard: Annotated[str, typer.Option(help="i/n: this process makes every n-th part, from the i-th on.")] = "0/1",
    beam: Annotated[
        str | None,
        typer.Option(
            help="Make all n shards of --shard 0/n as an Apache Beam pipeline with these options, such as "
            "'--runner=FlinkRunner --flink_master=host:8081'; '' runs it here."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(help="All n shards of --shard 0/n on a Ray cluster, as ray://head:10001; '' starts one here."),
    ] = None,
    halves: Annotated[bool, typer.Option("--halves", help="Write float16 instead of float32.")] = False,
) -> None:
    """Encode texts into Parquet files: `tfrec encode items.parquet --export runs/shop/export --output vectors`.

    The same command goes on where it was killed. Processes with 0/4, 1/4, 2/4 and 3/4 write the files that one with 0/1
    would, byte by byte.
    """
    from tfrec.export.encoded import Encoding, encode_table

    number, _, count = shard.partition("/")
    if not (number.isdecimal() and count.isdecimal()):
        raise ConfigError(f"--shard must look like 0/4, not {shard!r}.")
    encoding = Encoding(table, id_column, text_column, kind, int(number), int(count), halves)
    if output.is_file():
        raise ConfigError(f"{output} is a file: give --output a folder.")

    spread = [name for name, given in (("--beam", beam), ("--ray", ray)) if given is not None]
    if len(spread) > 1:
        raise ConfigError("--beam and --ray each make all shards: give one of them.")
    if spread and encoding.number:
        raise ConfigError(f"{spread[0]} makes all shards: write --shard 0/{encoding.count}.")
    if beam is not None:
        from tfrec.export.beam import encode_with_beam

        done = encode_with_beam(export, encoding, output, shlex.split(beam))
    elif ray is not None:
        from tfrec.export.ray_data import encode_with_ray

        done = encode_with_ray(export, encoding, output, ray)
    else:
        from tfrec.export.loaded import LoadedModel

        done = encode_table(LoadedModel.open(export), encoding, output)
    whose = "of all shards" if spread else "of this shard"
    told = f"{done.rows:,} rows encoded; of {done.parts:,} parts {whose} {done.found:,} were there"
    console.print(f"Encoded into {output}: {told}.", highlight=False, soft_wrap=True)
