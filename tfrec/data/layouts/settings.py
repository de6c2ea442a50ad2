"""Which file an alternative of a layout means, and the settings that it then has."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfrec.data.layouts.computed import fields_of
from tfrec.data.layouts.spelling import as_list, place_of, spelling
from tfrec.data.tables.files import bare_name

_META = ("known_by", "files", "same", "note", "optional", "unless")


def fits(alternative: Mapping[str, Any], path: Path, columns: list[str]) -> bool:
    """Whether a file is the one that an alternative means."""
    name = bare_name(path).casefold()
    globs = alternative.get("files", [])
    if globs and not any(fnmatch.fnmatch(name, pattern.casefold()) for pattern in globs):
        return False
    found = spelling(columns)
    wanted = alternative.get("known_by", [])
    if any(_has(as_list(entry), found) for entry in alternative.get("unless", [])):
        return False
    return all(_has(as_list(entry), found) for entry in wanted)


def _has(names: list[str], found: Mapping[str, str]) -> bool:
    return any(place_of(name, found) is not None for name in names)


def settings_of(alternative: Mapping[str, Any], columns: list[str], filled: set[str] | None = None) -> dict[str, Any]:
    """The settings of a table, with the columns that the file has.

    Args:
        alternative: of a layout, that fits the file.
        columns: of the file; for one without header, the names that the layout gives.
        filled: those with a value, where that is known: they come before others.

    Returns:
        settings as the configuration has them, without path and joins.
    """
    found = spelling([*columns, *map(str, alternative.get("names", []))])
    settings = {key: value for key, value in alternative.items() if key not in (*_META, "columns", "join")}
    chosen: dict[str, str | None] = {}
    for name, wanted in alternative.get("columns", {}).items():
        if wanted is None:
            if (place := place_of(name, found)) is not None:
                chosen[place] = None
            continue
        places = [
            entry if "{" in entry or "pivot" in alternative else place_of(entry, found)
            for entry in as_list(wanted)
            if "{" not in entry or "pivot" in alternative or _all_there(entry, found)
        ]
        there = [place for place in places if place is not None]
        best = [place for place in there if filled is None or place in filled or "{" in place]
        if there:
            chosen[name] = (best or there)[0]
    settings["columns"] = chosen
    for key in ("aliases",):
        if key in settings:
            places = [place for entry in settings[key] if (place := place_of(str(entry), found)) is not None]
            settings[key] = list(dict.fromkeys(places))
    if "where" in settings:
        kept = {place_of(column, found): wanted for column, wanted in settings["where"].items()}
        settings["where"] = {place: wanted for place, wanted in kept.items() if place is not None}
    if isinstance(settings.get("variants"), dict):
        settings["variants"] = _variants(settings["variants"], found)
    return {key: value for key, value in settings.items() if value not in ({}, [], None)}


def keys_spelled(on: Any, columns: list[str], others: list[str]) -> str | dict[str, str]:
    """The keys of a join as the two files spell them.

    Args:
        on: as in the configuration.
        columns: of the table.
        others: of the table that is joined to it.
    """
    left, right = spelling(columns), spelling(others)
    pairs = on if isinstance(on, dict) else {str(on): str(on)}
    spelled = {
        place_of(str(one), left) or str(one): place_of(str(other), right) or str(other) for one, other in pairs.items()
    }
    ((one, other),) = spelled.items() if len(spelled) == 1 else [("", "-")]
    return one if one == other else spelled


def _all_there(template: str, found: Mapping[str, str]) -> bool:
    return all(place_of(field, found) is not None for field in fields_of(template))


def _variants(variants: dict[str, Any], found: Mapping[str, str]) -> dict[str, Any] | None:
    """Variants by the columns that the file has; None where it cannot have any."""
    chosen: dict[str, Any] = {}
    for key in ("parent", "children"):
        if key in variants:
            place = next((at for entry in as_list(variants[key]) if (at := place_of(entry, found)) is not None), None)
            if place is not None:
                chosen[key] = place
    if any(key in variants for key in ("parent", "children")) and not chosen:
        return None
    options = [place for entry in variants.get("options", []) if (place := place_of(entry, found)) is not None]
    return {**chosen, "options": options} if options else chosen
