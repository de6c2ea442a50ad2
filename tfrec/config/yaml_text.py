"""YAML in, plain Python out: the core schema of YAML 1.2, no key twice, and an end to nesting, anchors and size.

PyYAML finds the structure; what the words mean is decided where the field is known (tfrec.config.typing_values), for
`name: 007` is a text and `seed: 007` a number. So unquoted scalars stay as they are written, marked as Plain.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import yaml

from tfrec.config.scalars import core_value

MOST_BYTES = 1 << 19
MOST_DEPTH = 40
MOST_VALUES = 20_000  # with those that anchors repeat
_TAGS: dict[str, type] = {"str": str, "null": type(None), "bool": bool, "int": int, "float": float}
_TAG = "tag:yaml.org,2002:"


class Plain(str):
    """An unquoted scalar as it is written; `core_value` says what it means where no field says otherwise."""


class YamlTextError(ValueError):
    """A text is no YAML that tfrec reads.

    Args:
        what: what is wrong, without the place.
        mark: the place; None where there is none.
    """

    def __init__(self, what: str, mark: Any = None) -> None:
        super().__init__(what if mark is None else f"at line {mark.line + 1}, column {mark.column + 1}: {what}")


def parse_yaml(text: str) -> Any:
    """The one document of a text: dicts, lists, str for quoted scalars and Plain for unquoted ones; None when empty.

    Raises:
        YamlTextError: no YAML, more than one document, a key twice, a tag beyond the core schema, or too much of it.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise YamlTextError(f"it has {size:,} bytes, more than {MOST_BYTES:,}")
    try:
        return _Builder(text).document()
    except yaml.YAMLError as error:
        raise YamlTextError(
            str(getattr(error, "problem", None) or error).split("\n")[0], getattr(error, "problem_mark", None)
        ) from None


class _Builder:
    """Makes values of PyYAML's events, which come one by one: what is too much is refused before it is built."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def document(self) -> Any:
        found = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                found = self._value(next(self._events), 0)
                next(self._events)  # the document's end
                extra = next(self._events)
                if isinstance(extra, yaml.DocumentStartEvent):
                    raise YamlTextError("a second document begins, but one is wanted", extra.start_mark)
                break
        return found

    def _count(self, values: int, mark: Any) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise YamlTextError(f"it has more than {MOST_VALUES:,} values, with those that anchors repeat", mark)

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlTextError(f"the anchor {event.anchor!r} is not known or holds itself", event.start_mark)
            kept, values = self._anchors[event.anchor]
            self._count(values, event.start_mark)
            return copy.deepcopy(kept)
        before = self._values
        self._count(1, event.start_mark)
        if depth > MOST_DEPTH:
            raise YamlTextError(f"it is nested more than {MOST_DEPTH} deep", event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            found: Any = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            _only_tag(event, "seq")
            found = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                found.append(self._value(inner, depth + 1))
        else:
            _only_tag(event, "map")
            found = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = found, self._values - before
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        lines: dict[str, int] = {}
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, line = self._value(event, depth + 1), event.start_mark.line + 1
            if not isinstance(key, str):
                raise YamlTextError("a key must be a plain word or text", event.start_mark)
            if key in lines:
                raise YamlTextError(
                    f"the key {str(key)!r} of line {lines[key]} comes again in line {line}: keep one of them"
                )
            lines[str(key)] = line
            value = self._value(next(self._events), depth + 1)
            if key == "<<" and isinstance(key, Plain):
                merged = _merged(value, event.start_mark)
            else:
                found[str(key)] = value
        return {**merged, **found}


def _scalar(event: Any) -> Any:
    if event.tag is None:
        return Plain(event.value) if event.implicit[0] else event.value
    if event.tag == "!":
        return event.value
    name = event.tag.removeprefix(_TAG)
    if name not in _TAGS or name == event.tag:
        raise YamlTextError(f"the tag {event.tag!r} is not known", event.start_mark)
    value = event.value if name == "str" else core_value(event.value)
    if not isinstance(value, _TAGS[name]):
        raise YamlTextError(f"{event.value!r} is no {name}", event.start_mark)
    return value


def _only_tag(event: Any, name: str) -> None:
    if event.tag not in (None, "!", _TAG + name):
        raise YamlTextError(f"the tag {event.tag!r} is not known", event.start_mark)


def _merged(value: Any, mark: Any) -> dict[str, Any]:
    """What `<<` takes over: of several mappings the first that has a key gives its value."""
    mappings = value if isinstance(value, list) else [value]
    if not all(isinstance(mapping, dict) for mapping in mappings):
        raise YamlTextError("<< takes over a mapping or a list of mappings", mark)
    return {key: inner for mapping in reversed(mappings) for key, inner in mapping.items()}
