"""Serving what was promoted in an export folder: its own models.config is followed without a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.config_watch import ConfigWatch, content_of
from tfrec.serving.server.configuration.model_config import ModelConfig, read_model_config_file

PROMOTED = "models.config"
_SECONDS = 0.5


def promoted_model(folder: Path | str, name: str) -> tuple[tuple[ModelConfig, ...], str]:
    """What the models.config of an export folder says of its versions.

    Args:
        folder: with one folder per version; it is served whatever base_path the file has for servers elsewhere.
        name: that requests give.

    Returns:
        the model and the sha256 of the file's content; no model and "" where nothing was promoted.

    Raises:
        ServingError: the file cannot be used.
    """
    file = Path(folder) / PROMOTED
    seen = content_of(file)
    return (_as_served(read_model_config_file(file), file, name), seen) if seen else ((), "")


def follow_promotions(
    folder: Path | str, name: str, reload: Callable[[Sequence[ModelConfig]], None], seen: str
) -> ConfigWatch:
    """Looks after the models.config of an export folder, also after one that is still to come.

    Args:
        folder: the export folder.
        name: that requests give.
        reload: takes the model.
        seen: from `promoted_model`.
    """
    file = Path(folder) / PROMOTED
    return ConfigWatch(file, lambda models: reload(_as_served(models, file, name)), _SECONDS, seen)


def _as_served(models: Sequence[ModelConfig], file: Path, name: str) -> tuple[ModelConfig, ...]:
    if len(models) != 1:
        raise ServingError(f"{file} names {len(models)} models, but its folder holds one: run `tfrec promote` again.")
    return (replace(models[0], name=name, base_path=str(file.parent)),)
