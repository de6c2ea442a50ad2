"""`tfrec report`."""

from __future__ import annotations

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def report(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """Write everything measured of a run into one page, report.html in its folder."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline import api

    console.print(f"Written: {api.report(parsed)}", highlight=False, soft_wrap=True)
