"""Plain Python out as YAML that reads back as the same, by the core schema of YAML 1.2 and by readers of 1.1."""

from __future__ import annotations

from typing import Any

import yaml

from tfrec.config.scalars import core_value


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def yaml_of(value: Any, flow: bool = False, width: int = 1 << 30) -> str:
    """A value as YAML.

    Args:
        value: dicts, lists and scalars.
        flow: on one line.
        width: of lines; texts are folded at it.
    """
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=flow, width=width)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """In quotes where the core schema would read something else; PyYAML itself thinks of YAML 1.1 only."""
    style = None if isinstance(core_value(text), str) else "'"
    if not text.isprintable():
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
