"""Where the folders of a configuration are: beside the file that names them, whatever the working directory is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_FOLDERS: dict[tuple[str, ...], str] = {("runs_dir",): "runs", ("data", "root"): "."}  # with their defaults
# Handles of encoders: an installed name, a URL, or a folder, which is told from a name by how it begins; + joins two.
_HANDLES = (("encoder", "name"), ("encoder", "preprocessor"), ("model", "images", "encoder"))
_FILES = (("lifecycle", "models_config"),)  # without a default
_FOLDER_STARTS = ("./", "../", "~/")


def place_folders(tree: dict[str, Any], base: Path, defaults: bool) -> None:
    """Makes the folders that a configuration names absolute, in place.

    Args:
        tree: the configuration as read, not yet checked.
        base: folder that relative ones are relative to.
        defaults: also those that the tree leaves out.
    """
    for path, default in _FOLDERS.items():
        section = _section(tree, path)
        if section is not None and (defaults or path[-1] in section):
            value = section.get(path[-1], default)
            if isinstance(value, str):
                section[path[-1]] = absolute(value, base)
    for path in _FILES:
        section = _section(tree, path)
        if section is not None and isinstance(section.get(path[-1]), str):
            section[path[-1]] = absolute(section[path[-1]], base)
    for path in _HANDLES:
        section = _section(tree, path)
        value = None if section is None else section.get(path[-1])
        if section is not None and isinstance(value, str):
            parts = [absolute(part, base) if part.startswith(_FOLDER_STARTS) else part for part in value.split("+")]
            section[path[-1]] = "+".join(parts)


def absolute(folder: str, base: Path) -> str:
    """A folder with ~ expanded, relative to `base` unless it is absolute."""
    return os.path.normpath(os.path.join(os.path.abspath(base), os.path.expanduser(folder)))


def _section(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    section: Any = tree
    for name in path[:-1]:
        section = section.get(name) if isinstance(section, dict) else None
    return section if isinstance(section, dict) else None
