"""`tfrec update` and `tfrec refresh`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.gate import DOUBTED, REFUSED
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.cli.versions import Address, Ca, TokenFile, Wait, servers_of, target_of

BUSY = 5  # exit code


@command_errors
def update(config: ConfigOption = DEFAULT_CONFIG, overrides: SetOption = []) -> None:  # noqa: B006
    """Take what is new in the shop's files into the next version, by a short training that goes on from the served one.

    Nothing is promoted: `tfrec gate` and `tfrec promote` decide, or `tfrec refresh` does it all.
    """
    parsed = read_config(config, overrides)
    from tfrec.lifecycle.refresh import served_manifest, told
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.pipeline.update import update as carry_out

    done = carry_out(parsed, served_manifest(RunFolder(parsed)))
    if not done.added:
        where = "" if done.export is None else f": {done.export} has it all"
        console.print(f"Nothing is new{where}.", highlight=False, soft_wrap=True)
        return
    console.print(told(done), highlight=False, soft_wrap=True)
    console.print(f"Exported: {done.export}", highlight=False, soft_wrap=True)


@command_errors
def refresh(
    config: ConfigOption = DEFAULT_CONFIG,
    full: Annotated[bool, typer.Option("--full", help="Train from the pretrained weights.")] = False,
    target: Address = None,
    wait: Wait = 60.0,
    ca: Ca = None,
    token_file: TokenFile = None,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """For a scheduler: read the files, update, judge, and promote or leave; run again, it goes on or does nothing.

    Exit code 0: promoted, or nothing to do. 2: a mistake, told in a sentence. 3: the gate refuses the candidate. 4: the
    gate is in doubt. 5: another command is at work. Whatever is not 0, the served version serves on.
    """
    parsed = read_config(config, overrides)
    from tfrec.errors import BusyError
    from tfrec.lifecycle.refresh import refresh as carry_out
    from tfrec.pipeline.run_folder import RunFolder

    servers, _ = servers_of(RunFolder(parsed).export, parsed)
    try:
        done = carry_out(parsed, servers, target_of(target, servers, wait, ca, token_file), full)
    except BusyError as error:
        print(f"busy: {error}", file=sys.stderr)
        raise typer.Exit(BUSY) from None
    for sentence in done.told:
        console.print(sentence, highlight=False, soft_wrap=True, markup=False)
    if done.outcome in ("refused", "doubtful"):
        raise typer.Exit({"refused": REFUSED, "doubtful": DOUBTED}[done.outcome])
