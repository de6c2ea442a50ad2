"""What is wrong with a configuration, in a sentence that names the place and, for an unknown key, the nearest one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from tfrec.config.annotations import annotation_at, section_of, takes


def told(error: ValidationError, root: type[BaseModel]) -> str:
    """All faults, separated by semicolons, without a full stop.

    Args:
        error: what pydantic found.
        root: the section that was checked.
    """
    return "; ".join(_sentence(fault, root) for fault in error.errors())


def unknown(parents: Sequence[Any], name: str, root: type[BaseModel]) -> str:
    """That there is no such key, and the nearest one."""
    known = _keys_of(parents, root)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    hint = f", the nearest key is {'.'.join([*map(str, parents), near[0]])}" if near else ""
    return f"unknown key {'.'.join([*map(str, parents), name])}{hint}"


def _sentence(fault: Any, root: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        *parents, name = fault["loc"]
        return unknown(parents, str(name), root)
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["input"] is None and fault["type"] != "value_error":
        return f"{place} is empty: " + _instead_of_nothing(fault, root)
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{place}: {message[0].lower() + message[1:]}" if place else message


def _instead_of_nothing(fault: Any, root: type[BaseModel]) -> str:
    if takes(annotation_at(fault["loc"], root), str):
        return 'write "" for the empty text, and quotes around the text "null"'
    return "give it a value, or leave the line out"


def _keys_of(parents: Sequence[Any], root: type[BaseModel]) -> list[str]:
    section = section_of(annotation_at(parents, root))
    return list(section.model_fields) if section is not None else []
