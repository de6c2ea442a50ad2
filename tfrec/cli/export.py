"""`tfrec export`."""

from __future__ import annotations

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config


@command_errors
def export(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """Write a trained model as a SavedModel that stock TensorFlow Serving runs; the same model is not written twice."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline import api

    console.print(f"Exported: {api.export(api.load(parsed))}", highlight=False, soft_wrap=True)
