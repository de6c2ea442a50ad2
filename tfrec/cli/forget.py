"""`tfrec forget`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def forget(
    file: Annotated[Path, typer.Argument(help="Shoppers' ids as the shop's files have them, one on each line.")],
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """Take shoppers out of all that a run keeps, and leave them out of everything that is read from now on.

    Says which versions were made with them; the next `tfrec refresh` is without (--full: the weights, too).
    """
    parsed = read_config(config, overrides)
    from tfrec.errors import DataError
    from tfrec.pipeline.forget import forget as carry_out

    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as a text of one id on each line ({error}).") from None
    done = carry_out(parsed, text.splitlines())
    console.print(f"{done.shoppers:,} shoppers are left out from now on; {done.rows:,} rows and examples were removed.")
    for name in done.made:
        console.print(f"Made examples in {name} were removed; the next training makes new ones.", highlight=False)
    if done.versions:
        numbers = ", ".join(map(str, done.versions))
        console.print(
            f"Versions made with one of them: {numbers}. The next `tfrec refresh` makes one whose scorers are without; "
            "`tfrec refresh --full` trains the weights without them, too.", highlight=False, soft_wrap=True,
        )  # fmt: skip
    if done.untold:
        numbers = ", ".join(map(str, done.untold))
        console.print(f"Versions whose data is no longer kept, so that nobody can tell: {numbers}.", highlight=False)
    if not done.versions and not done.untold:
        console.print("No version was made with one of them.", highlight=False)
