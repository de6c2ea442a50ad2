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
    """Reads the configuration with its overrides; one that tfrec ships may be named without its folder (`-c demo`)."""
    from tfrec.config import load_config

    return load_config(_found(path), overrides)


def _found(path: Path) -> Path:
    """The file itself, or the shipped configuration of that name where there is no such file."""
    shipped = Path(__file__).parent.parent / "configs" / path.with_suffix(".yaml").name
    if path.exists() or not shipped.is_file() or path.parent not in (Path("."), DEFAULT_CONFIG.parent):
        return path
    return shipped
