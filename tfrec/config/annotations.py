"""What a field of the configuration takes, read from its annotation."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def options(annotation: Any) -> list[Any]:
    """The kinds that an annotation allows, without Annotated and Union around them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return options(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [kind for part in get_args(annotation) for kind in options(part)]
    return [annotation]


def section_of(annotation: Any) -> Any:
    """The section that a field holds, or None."""
    return next((kind for kind in options(annotation) if _is_section(kind)), None)


def entry_of(annotation: Any, container: type) -> Any:
    """What the entries of a field's list, or the values of its dict, are; None where it holds no such container."""
    for kind in options(annotation):
        if get_origin(kind) is container:
            return get_args(kind)[-1]
    return None


def annotation_at(path: Sequence[Any], root: Any) -> Any:
    """The annotation of what lies at a path of field names, keys and places in lists; Any where that is unknown."""
    annotation = root
    for name in path:
        annotation = inner_of(annotation, name)
    return annotation


def inner_of(annotation: Any, name: Any) -> Any:
    """The annotation of a section's field, a list's entry or a dict's value; Any where that is unknown."""
    section = section_of(annotation)
    if section is not None:
        return section.model_fields[name].annotation if name in section.model_fields else Any
    inner = entry_of(annotation, list)
    return next((kind for kind in (inner, entry_of(annotation, dict)) if kind is not None), Any)


def takes(annotation: Any, kind: type) -> bool:
    """Whether a field takes values of exactly this plain kind, as such or as one of its literal values."""
    return any(
        option is kind or (get_origin(option) is Literal and any(type(value) is kind for value in get_args(option)))
        for option in options(annotation)
    )


def takes_anything(annotation: Any) -> bool:
    """Whether a field takes whatever is given."""
    return Any in options(annotation)


def only_text(annotation: Any) -> bool:
    """Whether a field takes nothing but text (and null): what stands there needs no quotes."""
    kinds = [kind for kind in options(annotation) if kind is not type(None)]
    return bool(kinds) and all(
        kind is str or (get_origin(kind) is Literal and all(isinstance(value, str) for value in get_args(kind)))
        for kind in kinds
    )


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
