"""The options that every command on a configuration takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tfrec.config import Config

DEFAULT_CONFIG = Path("configs/demo.yaml")
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")]
SetOption = Annotated[
    list[str],
    typer.Option(
        "--set",
        help="Override one value, as in training.learning_rate=3e-5 or augment.operations.0.probability=0.2, as YAML "
        "1.2; text needs no quotes, and loses those around it. May be repeated: the last counts.",
    ),
]


def read_config(path: Path, overrides: list[str]) -> Config:
    """Reads the configuration with its overrides; one that tfrec ships may be named without its folder (`-c demo`).

    The folders of a shipped one are relative to the working directory, as if its file lay in configs/ there.
    """
    from tfrec.config import load_config

    found = _found(path)
    config = load_config(found, overrides, None if found == path else DEFAULT_CONFIG.parent)
    _tell_of_a_run_elsewhere(config, overrides)
    return config


def _tell_of_a_run_elsewhere(config: Config, overrides: list[str]) -> None:
    """Says so when a run of that name lies where older versions would have put it, below the working directory."""
    run, old = Path(config.runs_dir) / config.name, Path("runs") / config.name
    named = any(override.partition("=")[0].strip() == "runs_dir" for override in overrides)
    if not named and not run.exists() and old.is_dir():
        print(
            f"{old} is not this run: runs_dir is relative to the configuration's file, so it is {run}. Move the folder "
            "there, or say --set runs_dir=runs.",
            file=sys.stderr,
        )


def _found(path: Path) -> Path:
    """The file itself, or the shipped configuration of that name where there is no such file."""
    if path.exists() or path.parent not in (Path("."), DEFAULT_CONFIG.parent):
        return path
    shipped = Path(__file__).parent.parent / "configs" / path.with_suffix(".yaml").name
    return shipped if shipped.is_file() else path
