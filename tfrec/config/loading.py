"""Reading a configuration file, overriding single values, and saying clearly what is wrong in it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from tfrec.config.places import place_folders
from tfrec.config.tree import Config
from tfrec.errors import ConfigError


def load_config(path: Path | str, overrides: Sequence[str] = (), base: Path | None = None) -> Config:
    """Reads a YAML configuration.

    Folders that the file names (data.root, runs_dir, an encoder's), and their defaults, are relative to the file;
    those of overrides are relative to the working directory.

    Args:
        path: the file.
        overrides: `section.key=value` each, the value in YAML.
        base: folder that the file's folders are relative to instead; for files that are installed with tfrec.

    Raises:
        ConfigError: the file is missing or not YAML, a key is unknown (the nearest one is named), a value is wrong.
    """
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no configuration file {path}: make one with `tfrec config init`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown place"
        raise ConfigError(f"{path} is not valid YAML at {place}: {getattr(error, 'problem', error)}.") from None
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, not a {type(tree).__name__}.")
    base = path.parent if base is None else base
    place_folders(tree, base, defaults=True)
    for override in overrides:
        _apply(tree, override)
    place_folders(tree, Path(), defaults=False)
    place_folders(tree, base, defaults=True)
    return parse_config(tree, str(path))


def parse_config(tree: dict[str, Any], source: str = "the configuration") -> Config:
    """Checks a plain dictionary and gives the typed tree; all faults in one ConfigError."""
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        faults = "; ".join(_sentence(fault) for fault in error.errors())
        raise ConfigError(f"{source}: {faults}.") from None


def _apply(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override!r} must look like training.learning_rate=3e-5.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    if isinstance(value, str):
        try:
            value = float(value)  # YAML 1.1 reads 3e-5 as a word
        except ValueError:
            value = text.strip()
    node = tree
    *parents, last = key.strip().split(".")
    for position, name in enumerate(parents):
        child = node.get(name)
        if child is None:
            child = node[name] = {}
        elif isinstance(child, str) and name in ("items", "searches", "interactions"):
            child = node[name] = {"path": child}
        if not isinstance(child, dict):
            raise ConfigError(
                f"--set {override!r}: {'.'.join(parents[: position + 1])} is a single value, not a section."
            )
        node = child
    node[last] = value


def _sentence(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        *parents, name = [part for part in fault["loc"]]
        known = _keys_of(parents)
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.0)
        hint = f", the nearest key is {'.'.join([*map(str, parents), near[0]])}" if near else ""
        return f"unknown key {place}{hint}"
    if fault["type"] == "missing":
        return f"{place} is missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{place}: {message[0].lower() + message[1:]}" if place else message


def _keys_of(parents: Sequence[Any]) -> list[str]:
    model: type[BaseModel] | None = Config
    for name in parents:
        if isinstance(name, int):
            continue  # the place in a list, whose sections the field before it names
        field = model.model_fields.get(str(name)) if model else None
        model = _section_in(field.annotation) if field else None
    return list(model.model_fields) if model else []


def _section_in(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
