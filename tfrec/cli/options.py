"""The options that every command on a configuration takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tfrec.config import Config

DEFAULT_CONFIG = Path("configs/demo.yaml")
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")]
SetOption = Annotated[
    list[str], typer.Option("--set", help="Override one value, as in training.learning_rate=3e-5; may be repeated.")
]


def read_config(path: Path, overrides: list[str]) -> Config:
    """Reads the configuration with its overrides."""
    from tfrec.config import load_config

    return load_config(path, overrides)
