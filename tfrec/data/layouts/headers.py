"""The files of a shop's folder that may hold tables, and the columns that each has."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tfrec.config.files import TableConfig
from tfrec.data.tables.read import opened_file
from tfrec.errors import DataError

_ENDINGS = (
    ".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".item", ".jsonl", ".ndjson", ".json", ".parquet", ".pq",
    ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".xml", ".rss", ".atom", ".tfrecord", ".tfrecords", ".zip",
)  # fmt: skip
_DEEPEST = 3
_NOT_DATA = (
    "readme",
    "license",
    "licence",
    "report.json",
    "manifest.json",
    "metrics.json",
    "package.json",
    "requirements.txt",
)
_NOT_FOLDERS = ("runs", "node_modules", "__pycache__", "__macosx", "venv")


def data_files(root: Path, also: Iterable[Path] = ()) -> list[Path]:
    """The files below a folder that may hold a table, by name; hidden ones and run folders are passed over.

    Args:
        root: the folder.
        also: files that are wanted whatever they are called.

    Raises:
        DataError: there is no such folder.
    """
    if not root.is_dir():
        raise DataError(f"There is no folder {root}: check data.root.")
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        hidden = depth + 1 >= _DEEPEST
        folders[:] = [] if hidden else sorted(name for name in folders if _is_folder(name, Path(folder)))
        found += [Path(folder) / name for name in sorted(files) if _is_data(name)]
    return list(dict.fromkeys([*also, *found]))


def _is_folder(name: str, parent: Path) -> bool:
    own_run = (parent / name / "config.yaml").exists()
    return not name.startswith(".") and name.lower() not in _NOT_FOLDERS and not own_run


def _is_data(name: str) -> bool:
    plain = name.lower().removesuffix(".gz")
    if plain.startswith((".", "~$")) or any(plain.startswith(word) for word in _NOT_DATA):
        return False
    return plain.endswith(_ENDINGS)


def columns_of(path: Path) -> list[str]:
    """The columns of a file as its first rows show them; none where it cannot be read."""
    try:
        with opened_file(path, TableConfig(path=path.name)) as opened:
            return opened.found
    except DataError:
        return []
