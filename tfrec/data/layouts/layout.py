"""Layouts by name: what the files of shop systems and public data sets look like, a YAML file each, no code.

A layout lists, for items, searches and interactions, one or several alternatives. An alternative has

    known_by: [Handle, Title]        columns that a file must have, whatever their case and signs; [a, b]: one of them
    unless: [asin]                   columns that it must not have
    files: ["movies.dat"]            globs that a file's name must match; for files without a header
    columns: {title: [Title, Name]}  as in the configuration; of a list the first column that the file has, or none;
                                     {condition: null} keeps a column out of the items' texts
    aliases, variants, where, ...    all settings of a table, as in the configuration
    join: [{known_by: ..., on: ..., columns: ...}]   found likewise; `same: true` joins the file to itself

`note` says in a sentence what a user must know. A layout of one's own is a copy of such a file, named by its path.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config.data import DataConfig
from tfrec.config.meanings import meant
from tfrec.config.yaml_text import YamlTextError, parse_yaml
from tfrec.errors import ConfigError

FOLDER = Path(__file__).parent
TABLES = ("items", "searches", "interactions")
_SIGNS = re.compile(r"[\W_]+")
_META = ("known_by", "files", "same", "note", "optional", "unless")


@dataclass(frozen=True)
class Layout:
    """The files of a shop system.

    Attributes:
        name: by which the configuration means it.
        about: what it is, in a sentence.
        tables: items, searches, interactions -> its alternatives, as the YAML file has them.
        template: text of an item, where title and brand do not say it.
    """

    name: str
    about: str
    tables: dict[str, list[dict[str, Any]]]
    template: str | None = None

    @classmethod
    def read(cls, path: Path) -> Layout:
        """Reads a layout's YAML file.

        Raises:
            ConfigError: it is missing, or no layout.
        """
        try:
            tree = _plain(meant(parse_yaml(path.read_text("utf-8")), Any))
        except (OSError, UnicodeDecodeError, YamlTextError) as error:
            raise ConfigError(f"The layout {path} cannot be read: {str(error).splitlines()[0]}.") from None
        if not isinstance(tree, dict) or not isinstance(tree.get("tables"), dict):
            raise ConfigError(f"{path} is no layout: it needs `about` and `tables`, as those in {FOLDER.name}/ have.")
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, found in tree["tables"].items():
            alternatives = found if isinstance(found, list) else [found]
            if name not in TABLES or not all(isinstance(entry, dict) for entry in alternatives):
                raise ConfigError(f"{path}: tables.{name} must be one of {', '.join(TABLES)} and hold mappings.")
            if not all("known_by" in entry or "files" in entry for entry in alternatives):
                raise ConfigError(f"{path}: tables.{name} needs known_by or files, to know its file by.")
            tables[name] = alternatives
        return cls(path.stem, str(tree.get("about", "")), tables, tree.get("template"))


def _plain(value: Any) -> Any:
    """Texts that remember where they stood, as texts."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return (
        [_plain(inner) for inner in value]
        if isinstance(value, list)
        else str(value)
        if isinstance(value, str)
        else value
    )


@functools.cache
def layouts() -> dict[str, Layout]:
    """The layouts that are shipped, by name."""
    return {path.stem: Layout.read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def layout_named(name: str, root: Path) -> Layout:
    """A shipped layout, or one of the user's by its path.

    Raises:
        ConfigError: there is none; the nearest name is told.
    """
    if name in layouts():
        return layouts()[name]
    if name.endswith((".yaml", ".yml")):
        return Layout.read(root / Path(name).expanduser())
    near = difflib.get_close_matches(name, layouts(), n=1, cutoff=0.0)[0]
    raise ConfigError(
        f"There is no layout or file format {name!r}; the nearest is {near!r}. Layouts: {', '.join(layouts())}."
    )


def layout_texts(data: DataConfig) -> dict[str, str]:
    """What decides how the layouts that a configuration names are read: their YAML files, name -> text."""
    tables = (data.items, data.searches, data.interactions)
    names = {data.format, *(table.layout for table in tables if table is not None)} - {None}
    texts: dict[str, str] = {}
    for name in sorted(map(str, names)):
        path = FOLDER / f"{name}.yaml" if name in layouts() else Path(data.root) / Path(name).expanduser()
        texts[name] = path.read_text("utf-8") if path.is_file() else ""
    return texts


def _column(name: str, found: Mapping[str, str]) -> str | None:
    """The file's own spelling of a column."""
    return found.get(_form(name))


def _form(name: str) -> str:
    """A column's name without case, blanks and signs: Product ID, product_id and productId are one."""
    return _SIGNS.sub("", name).casefold() or name.strip()


def spelling(columns: list[str]) -> dict[str, str]:
    """Columns by the form in which layouts are compared with them."""
    return {_form(name): name for name in reversed(columns)}


def fits(alternative: Mapping[str, Any], path: Path, columns: list[str]) -> bool:
    """Whether a file is the one that an alternative means."""
    name = path.name.removesuffix(".gz").casefold()
    globs = alternative.get("files", [])
    if globs and not any(fnmatch.fnmatch(name, pattern.casefold()) for pattern in globs):
        return False
    found = spelling(columns)
    wanted = alternative.get("known_by", [])
    if any(_has(_as_list(entry), found) for entry in alternative.get("unless", [])):
        return False
    return all(_has(_as_list(entry), found) for entry in wanted)


def _has(names: list[str], found: Mapping[str, str]) -> bool:
    return any(_place(name, found) is not None for name in names)


def _place(name: str, found: Mapping[str, str]) -> str | None:
    """The spelling of a column, or of the column at the head of a place in nested values."""
    if (whole := _column(name, found)) is not None:
        return whole
    for sign in (".", "/"):
        head, cut, rest = name.partition(sign)
        if cut and (outer := _column(head, found)) is not None:
            return f"{outer}{sign}{rest}"
    return None


def _as_list(value: Any) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


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
            if (place := _place(name, found)) is not None:
                chosen[place] = None
            continue
        places = [
            entry if "{" in entry or "pivot" in alternative else _place(entry, found)
            for entry in _as_list(wanted)
            if "{" not in entry or "pivot" in alternative or _all_there(entry, found)
        ]
        there = [place for place in places if place is not None]
        best = [place for place in there if filled is None or place in filled or "{" in place]
        if there:
            chosen[name] = (best or there)[0]
    settings["columns"] = chosen
    for key in ("aliases",):
        if key in settings:
            places = [place for entry in settings[key] if (place := _place(str(entry), found)) is not None]
            settings[key] = list(dict.fromkeys(places))
    if "where" in settings:
        settings["where"] = {
            place: wanted for entry, wanted in settings["where"].items() if (place := _place(entry, found)) is not None
        }
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
        _place(str(one), left) or str(one): _place(str(other), right) or str(other) for one, other in pairs.items()
    }
    ((one, other),) = spelled.items() if len(spelled) == 1 else [("", "-")]
    return one if one == other else spelled


def _all_there(template: str, found: Mapping[str, str]) -> bool:
    from tfrec.data.layouts.computed import fields_of

    return all(_place(field, found) is not None for field in fields_of(template))


def _variants(variants: dict[str, Any], found: Mapping[str, str]) -> dict[str, Any] | None:
    """Variants by the columns that the file has; None where it cannot have any."""
    chosen: dict[str, Any] = {}
    for key in ("parent", "children"):
        if key in variants:
            place = next((at for entry in _as_list(variants[key]) if (at := _place(entry, found)) is not None), None)
            if place is not None:
                chosen[key] = place
    if any(key in variants for key in ("parent", "children")) and not chosen:
        return None
    options = [place for entry in variants.get("options", []) if (place := _place(entry, found)) is not None]
    return {**chosen, "options": options} if options else chosen
