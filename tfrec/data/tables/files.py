"""Which files a table means, and of what kind each is: by its name, checked against its first bytes."""

from __future__ import annotations

import difflib
import glob
import os
from dataclasses import dataclass
from pathlib import Path

from tfrec.config.files import FileConfig, TableConfig
from tfrec.data.tables.opened import READ_ERRORS, is_archive, is_packed, member_of, open_bytes
from tfrec.errors import DataError

_ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".pq": "parquet", ".tfrecord": "tfrecord", ".tfrecords": "tfrecord",
    ".xlsx": "excel", ".xlsm": "excel", ".xlsb": "excel", ".xls": "excel", ".ods": "excel",
    ".xml": "feed", ".rss": "feed", ".atom": "feed",
}  # fmt: skip
_SIGNS = ((b"PAR1", "parquet"), (b"PK\x03\x04", "excel"), (b"\xd0\xcf\x11\xe0", "excel"))


@dataclass(frozen=True)
class TableFile:
    """One file of a table.

    Attributes:
        path: where it is.
        split: of all its rows; None where the rows say, or nobody.
    """

    path: Path
    split: str | None = None


def table_files(table: TableConfig, root: Path) -> list[TableFile]:
    """The files that a table's paths and globs mean; those of a glob sorted by name.

    Raises:
        DataError: there is none, or it is a folder.
    """
    entries = [table.path] if isinstance(table.path, str) else table.path
    if not entries:
        raise DataError("A table's list of paths is empty: name at least one file.")
    found: dict[Path, TableFile] = {}
    for entry in entries:
        name, split = (entry.path, entry.split) if isinstance(entry, FileConfig) else (entry, None)
        for path in _paths(root, name):
            found.setdefault(path, TableFile(path, split))
    return list(found.values())


def files_of(table: TableConfig, root: Path) -> list[Path]:
    """The paths of `table_files`."""
    return [file.path for file in table_files(table, root)]


def _paths(root: Path, name: str) -> list[Path]:
    path = root / os.path.expanduser(name)
    if path.is_dir():
        raise DataError(f"{path} is a folder: give a file, or a glob such as {name.rstrip('/')}/*.csv.")
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file())
    if not found:
        near = ""
        if path.parent.is_dir():
            names = [other.name for other in path.parent.iterdir() if other.is_file()]
            near = "".join(f" (did you mean {name}?)" for name in difflib.get_close_matches(path.name, names, n=1))
        raise DataError(f"There is no file {path}{near}: check data.root and the path in the configuration.")
    return found


def kind_of(path: Path, table: TableConfig, notes: list[str]) -> str:
    """The format of a file: as configured, else by the ending before .gz, corrected by the first bytes.

    Args:
        path: the file.
        table: its configuration.
        notes: gets a sentence when the name says something else than the bytes.

    Raises:
        DataError: neither the ending nor the bytes tell, or it is an archive of several files.
    """
    if table.format != "auto":
        return table.format
    if not path.name.endswith(".gz") and is_archive(path):
        member_of(path)
    ending = Path(bare_name(path)).suffix.lower()
    named = _ENDINGS.get(ending)
    start = _start(path)
    signed = next((kind for sign, kind in _SIGNS if start.startswith(sign)), None)
    if signed is None and named == "excel":
        signed = _text_kind(path, start)
    elif signed is None and named is None:
        signed = _text_kind(path, start) if b"\0" not in start or start[:2] in (b"\xff\xfe", b"\xfe\xff") else None
    if signed is not None and signed != named:
        notes.append(f"{path.name} holds {_TOLD[signed]}, whatever its name says: read as such")
        return signed
    if named is None:
        raise DataError(
            f"{path}: the ending {ending!r} is unknown; name the format in the configuration "
            "(format: csv, tsv, jsonl, json, parquet, tfrecord, excel or feed)."
        )
    return named


def bare_name(path: Path) -> str:
    """A file's name without the ending of what it is packed in; of a zip archive the name of the one file in it."""
    try:
        packed = not path.name.endswith(".gz") and path.is_file() and is_archive(path)
        return Path(member_of(path)).name if packed else path.name.removesuffix(".gz")
    except (DataError, *READ_ERRORS):
        return path.name.removesuffix(".zip")  # who opens it will tell


_TOLD = {
    "parquet": "Parquet", "excel": "a workbook", "csv": "a table of text", "json": "JSON", "jsonl": "JSON Lines",
    "feed": "XML",
}  # fmt: skip


def _start(path: Path) -> bytes:
    try:
        with open_bytes(path) if is_packed(path) else path.open("rb") as raw:
            return raw.read(4096)
    except READ_ERRORS:
        return b""  # the reader will tell


def _text_kind(path: Path, start: bytes) -> str:
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if first[:1] == b"<":
        if b"<html" in first.lower() or b"<table" in first.lower():
            raise DataError(f"{path} is a web page and no table: export it as CSV or as a workbook.")
        return "feed"
    return "json" if first[:1] in (b"{", b"[") else "csv"
