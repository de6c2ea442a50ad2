"""What is written means by the field it is written for: one rule for files, `--set` and Python."""

from __future__ import annotations

from typing import Any

from tfrec.config.annotations import entry_of, section_of, takes, takes_anything
from tfrec.config.scalars import core_value
from tfrec.config.yaml_text import Plain


def meant(value: Any, annotation: Any) -> Any:
    """What a parsed YAML value means for a field.

    An unquoted scalar is a text as it is written where the field takes text and not what the core schema makes of it
    (007 for a name); else it is what the core schema makes of it. A quoted one is a text.

    Args:
        value: of `parse_yaml`.
        annotation: the field's.

    Returns:
        plain Python.
    """
    if isinstance(value, Plain):
        core = core_value(value)
        return str(value) if core is not None and _as_written(annotation, core) else core
    if isinstance(value, list):
        inner = entry_of(annotation, list)
        return [meant(entry, Any if inner is None else inner) for entry in value]
    if isinstance(value, dict):
        section = section_of(annotation)
        if section is not None:
            fields = section.model_fields
            return {key: meant(inner, fields[key].annotation if key in fields else Any) for key, inner in value.items()}
        inner = entry_of(annotation, dict)
        return {key: meant(entry, Any if inner is None else inner) for key, entry in value.items()}
    return value


def _as_written(annotation: Any, core: Any) -> bool:
    if takes_anything(annotation) or _takes_kind(annotation, core):
        return False
    return takes(annotation, str) or section_of(annotation) is not None


def _takes_kind(annotation: Any, core: Any) -> bool:
    number = not isinstance(core, bool | str) and (takes(annotation, int) or takes(annotation, float))
    return number or takes(annotation, type(core))


def checked(value: Any, annotation: Any) -> Any:
    """A value as the field takes it, where Python and pydantic would take more: no true for 1, no "yes" for true.

    Args:
        value: what was given, from a file or in Python.
        annotation: the field's.

    Returns:
        the value; a text of the core schema as the number or truth value that the field wants.

    Raises:
        ValueError: it is of another kind.
    """
    if isinstance(value, list) and (inner := entry_of(annotation, list)) is not None:
        return [checked(entry, inner) for entry in value]
    if isinstance(value, dict) and (inner := entry_of(annotation, dict)) is not None:
        return {key: checked(entry, inner) for key, entry in value.items()}
    wanted = _wanted(annotation)
    if wanted is None or takes_anything(annotation):
        return value
    if isinstance(value, str):
        if takes(annotation, str) or section_of(annotation) is not None:
            return value
        core = core_value(value.strip())
        if core is not None and not isinstance(core, str) and _takes_kind(annotation, core):
            return core
        raise ValueError(f"input should be {wanted}, not the text {value!r}")
    if isinstance(value, bool | int) and not _takes_kind(annotation, value):
        raise ValueError(f"input should be {wanted}, not {str(value).lower()}")
    return value


def _wanted(annotation: Any) -> str | None:
    if takes(annotation, float):
        return "a valid number"
    if takes(annotation, int):
        return "a valid integer"
    return "true or false" if takes(annotation, bool) else None
