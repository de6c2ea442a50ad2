"""The configuration written as YAML, with every field explained beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tfrec.config.places import absolute
from tfrec.config.tree import Config
from tfrec.config.yaml_writing import yaml_of


def documented_yaml(config: Config) -> str:
    """The configuration as YAML in which a comment above each field says what it means."""
    lines: list[str] = []
    _write(config, 0, lines)
    return "\n".join(lines) + "\n"


def plain_yaml(config: Config) -> str:
    """The configuration as YAML without comments, for the run folder; its folders are absolute, wherever it lies."""
    tree = config.model_dump(mode="json")
    tree["runs_dir"] = absolute(tree["runs_dir"], Path())
    tree["data"]["root"] = absolute(tree["data"]["root"], Path())
    return yaml_of(tree, width=120)


def _write(section: BaseModel, depth: int, lines: list[str]) -> None:
    margin = "  " * depth
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        about = field.description or (type(value).__doc__ if isinstance(value, BaseModel) else None)
        for line in textwrap.wrap(about or "", width=110 - len(margin)):
            lines.append(f"{margin}# {line}")
        if isinstance(value, BaseModel):
            lines.append(f"{margin}{name}:")
            _write(value, depth + 1, lines)
        else:
            lines.append(f"{margin}{name}: {_inline(_plain(value))}")


def _plain(value: Any) -> Any:
    """A value as YAML knows it; sections in a list or under names become mappings."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value


def _inline(value: Any) -> str:
    return yaml_of(value, flow=True).strip().removesuffix("...").strip()
