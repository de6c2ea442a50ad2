"""`--set section.key=value`: one value of a configuration replaced on the command line."""

from __future__ import annotations

import copy
import re
from typing import Any

from pydantic import BaseModel

from tfrec.config.annotations import entry_of, inner_of, only_text, section_of
from tfrec.config.meanings import meant
from tfrec.config.scalars import core_value
from tfrec.config.yaml_text import Plain, YamlTextError, parse_yaml
from tfrec.errors import ConfigError

_NAME = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^."'=]*))\s*([.=]|$)""")


def apply_override(tree: dict[str, Any], override: str, root: type[BaseModel]) -> None:
    """Sets one value of a tree that is not checked yet, in place.

    The value is YAML as in a file; for a field of text everything after the = stands for itself unless it is in quotes.
    A place in a list is its number from 0, the number after the last adds an entry; a key that holds dots or = is
    written in quotes.

    Args:
        tree: plain dicts, lists and scalars; defaults may be missing.
        override: as in training.learning_rate=3e-5 or augment.operations.0.probability=0.2.
        root: the section that the tree is to become.

    Raises:
        ConfigError: it has another form, or its path leads through a single value or beyond a list.
    """
    path, text = _split(override)
    node: Any = tree
    annotation: Any = root
    for position, name in enumerate(path[:-1]):
        place = _place(node, name, path[:position], override)
        inner = inner_of(annotation, place)
        child = _opened(_entry(node, place), inner, _default(annotation, place))
        if not isinstance(child, dict | list):
            way = ".".join(path[: position + 1])
            raise ConfigError(f"--set {override!r}: {way} is a single value, not a section.")
        _put(node, place, child)
        node, annotation = child, inner
    place = _place(node, path[-1], path[:-1], override)
    _put(node, place, _value(text, inner_of(annotation, place), override))


def _split(override: str) -> tuple[list[str], str]:
    path, at = [], 0
    while True:
        found = _NAME.match(override, at)
        name = next((part for part in found.groups()[:3] if part is not None), "") if found else ""
        if not found or not (name.strip() or found[1] is not None or found[2] is not None) or not found[4]:
            raise ConfigError(f"--set {override!r} must look like training.learning_rate=3e-5.")
        path.append(name.strip() if found[3] is not None else name)
        at = found.end()
        if found[4] == "=":
            return path, override[at:]


def _value(text: str, annotation: Any, override: str) -> Any:
    text = text.strip()
    section = section_of(annotation)
    as_it_is = only_text(annotation) or (section is not None and not text.startswith(("{", "[")))
    if as_it_is and not text.startswith(('"', "'")):
        return None if core_value(text) is None else text
    try:
        found = parse_yaml(text)
    except YamlTextError as error:
        raise ConfigError(f"--set {override!r}: the value is no YAML ({error}): put a text in quotes.") from None
    if as_it_is and (not isinstance(found, str) or isinstance(found, Plain)):
        raise ConfigError(f"--set {override!r}: the value begins with a quote, so it must be one quoted text.")
    return meant(found, annotation)


def _opened(value: Any, annotation: Any, default: Any) -> Any:
    """What a path may lead into: the value, its long form, or a copy of the default."""
    if value is None:
        return {} if default is None or isinstance(default, BaseModel) else copy.deepcopy(default)
    section: Any = section_of(annotation)
    return value if section is None or isinstance(value, dict) else section.spelled_out(value)


def _default(annotation: Any, place: Any) -> Any:
    section = section_of(annotation)
    field = section.model_fields.get(place) if section is not None and isinstance(place, str) else None
    found = field.get_default(call_default_factory=True, validated_data={}) if field is not None else None
    holds_list = field is not None and section_of(field.annotation) is None and entry_of(field.annotation, list)
    return [] if holds_list and found is None else found


def _place(node: Any, name: str, before: list[str], override: str) -> Any:
    if not isinstance(node, list):
        return name
    if not (name.isascii() and name.isdigit() and int(name) <= len(node)):
        way = ".".join(before)
        raise ConfigError(
            f"--set {override!r}: {way} is a list of {len(node)}, so its places are 0 to {len(node)} (a new one), not "
            f"{name!r}."
        )
    return int(name)


def _entry(node: Any, place: Any) -> Any:
    if isinstance(node, list):
        return node[place] if place < len(node) else None
    return node.get(place)


def _put(node: Any, place: Any, value: Any) -> None:
    if isinstance(node, list) and place == len(node):
        node.append(value)
    else:
        node[place] = value
