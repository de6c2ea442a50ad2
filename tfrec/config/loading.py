"""Reading a configuration file, overriding single values, and saying clearly what is wrong in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrec.config.meanings import meant
from tfrec.config.overrides import apply_override
from tfrec.config.places import place_folders
from tfrec.config.tree import Config
from tfrec.config.yaml_text import YamlTextError, parse_yaml
from tfrec.errors import ConfigError


def load_config(path: Path | str, overrides: Sequence[str] = (), base: Path | None = None) -> Config:
    """Reads a YAML configuration.

    Folders that the file names (data.root, runs_dir, an encoder's), and their defaults, are relative to the file;
    those of overrides are relative to the working directory.

    Args:
        path: the file.
        overrides: `section.key=value` each, see `apply_override`; of two for one key the last counts.
        base: folder that the file's folders are relative to instead; for files that are installed with tfrec.

    Raises:
        ConfigError: the file is missing or not YAML, a key comes twice, is unknown (the nearest one is named), or has a
            wrong value.
    """
    path = Path(path)
    try:
        tree = meant(parse_yaml(path.read_text("utf-8-sig")), Config)
    except FileNotFoundError:
        raise ConfigError(f"There is no configuration file {path}: make one with `tfrec config init`.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The configuration file {path} is not UTF-8 ({error.reason} at byte {error.start})."
        ) from None
    except OSError as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error}.") from error
    except YamlTextError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}.") from None
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, not a {type(tree).__name__}.")
    base = path.parent if base is None else base
    place_folders(tree, base, defaults=True)
    for override in overrides:
        apply_override(tree, override, Config)
    place_folders(tree, Path(), defaults=False)
    place_folders(tree, base, defaults=True)
    return parse_config(tree, str(path))


def as_config(given: Config | Path | str | dict[str, Any]) -> Config:
    """The configuration that a caller in Python gives: itself, the path of its file, or a plain dictionary.

    Raises:
        ConfigError: it is something else, or wrong.
    """
    if isinstance(given, Config):
        return given
    if isinstance(given, str | os.PathLike):
        return load_config(given)
    if isinstance(given, dict):
        return parse_config(given)
    raise ConfigError(f"A configuration is needed, or the path of its file, not a {type(given).__name__}.")


def parse_config(tree: dict[str, Any], source: str = "the configuration") -> Config:
    """Checks a plain dictionary and gives the typed tree; all faults in one ConfigError."""
    try:
        return Config.model_validate(tree)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None
