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
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config.data import DataConfig
from tfrec.config.meanings import meant
from tfrec.config.yaml_text import YamlTextError, parse_yaml
from tfrec.errors import ConfigError

FOLDER = Path(__file__).parent
TABLES = ("items", "searches", "interactions")


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
