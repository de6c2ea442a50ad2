"""Fields of a configuration by their path, as in "training.learning_rate"."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from tfrec.config import Config, parse_config
from tfrec.errors import ConfigError


def value_at(config: Config, path: str) -> Any:
    """What a configuration has at `path`; None below an empty optional section and for an unnamed key of a mapping.

    Raises:
        ConfigError: there is no such field; the nearest one is named.
    """
    value, _ = _follow(config, path)
    return value


def is_integer(config: Config, path: str) -> bool:
    """Whether the field takes whole numbers only."""
    _, annotation = _follow(config, path)
    leaves = _leaves(annotation)
    return int in leaves and float not in leaves


def is_number(config: Config, path: str) -> bool:
    """Whether the field takes numbers."""
    _, annotation = _follow(config, path)
    return bool({int, float} & _leaves(annotation))


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """A configuration with some of its fields replaced.

    Args:
        config: the configuration to start from; it is not changed.
        values: a new value by path.

    Raises:
        ConfigError: a value is not allowed at its path, or not together with the others.
    """
    tree = config.model_dump(mode="json")
    for path, value in values.items():
        *parents, last = path.split(".")
        node = tree
        for name in parents:
            if node.get(name) is None:
                node[name] = {}
            node = node[name]
        node[last] = value
    return parse_config(tree, "the search space")


def _follow(config: Config, path: str) -> tuple[Any, Any]:
    """Value and annotation of a field."""
    value: Any = config
    annotation: Any = Config
    parts = path.split(".")
    for position, name in enumerate(parts):
        section = _section(annotation)
        if section is not None:
            names = list(section.model_fields)
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
                hint = f", the nearest is {'.'.join([*parts[:position], near[0]])}" if near else ""
                raise ConfigError(f"The search space names {path}, but the configuration has no such field{hint}.")
            annotation = section.model_fields[name].annotation
            value = getattr(value, name) if isinstance(value, BaseModel) else None
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
            value = value.get(name) if isinstance(value, dict) else None
        else:
            raise ConfigError(
                f"The search space names {path}, but the configuration has no such field: "
                f"{'.'.join(parts[:position])} is a single value."
            )
    return value, annotation


def _section(annotation: Any) -> type[BaseModel] | None:
    for leaf in _leaves(annotation):
        if isinstance(leaf, type) and issubclass(leaf, BaseModel):
            return leaf
    return None


def _leaves(annotation: Any) -> set[Any]:
    """The plain types that an annotation allows."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _leaves(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return set().union(*(_leaves(part) for part in get_args(annotation)))
    return {annotation if origin is None else origin}
