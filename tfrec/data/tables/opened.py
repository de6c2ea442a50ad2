"""What every kind of file gives to its reader: the columns that it has, some values, and its rows in batches."""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import polars as pl

from tfrec.data.tables.nested import Place
from tfrec.errors import DataError

Rejected = list[tuple[int, str]]  # rows that cannot even be parsed: (row, what is wrong)
Frames = Callable[[Mapping[str, Place]], Iterator[pl.DataFrame]]
READ_ERRORS = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)
SAMPLED = 1_000  # rows that are looked at for hints and proposals
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_OF_WORKBOOKS = ("[content_types].xml", "mimetype")  # members of xlsx and ods, which are archives, too


@dataclass
class Opened:
    """A file whose columns are known and whose rows are not yet read.

    Attributes:
        found: the file's columns, in order.
        texts: those that may hold words.
        sample: column -> some of its values from the first rows, as texts, empty ones left out.
        frames: given tfrec's name -> place in the file, yields frames of those columns and `_row` UInt32.
        rejected: gets the rows that cannot be parsed while frames run; they are left out.
        notes: what was found by looking, a sentence each without its full stop.
        warnings: what looks wrong, likewise; complete when the frames are through.
    """

    found: list[str]
    texts: list[str]
    sample: dict[str, list[str]]
    frames: Frames
    rejected: Rejected = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def is_packed(path: Path) -> bool:
    """Whether a file is gzip, by its name or its first bytes, or a zip archive."""
    if path.name.endswith(".gz"):
        return True
    with path.open("rb") as raw:
        start = raw.read(4)
    return start[:2] == _GZIP or (start == _ZIP and is_archive(path))


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive and no workbook."""
    with path.open("rb") as raw:
        if raw.read(4) != _ZIP:
            return False
    with zipfile.ZipFile(path) as archive:
        return not any(name.lower() in _OF_WORKBOOKS for name in archive.namelist())


def member_of(path: Path) -> str:
    """The name of the one file in a zip archive; what systems add beside it does not count.

    Raises:
        DataError: it holds several files, or none, is locked, or compressed in a way that Python does not know.
    """
    with zipfile.ZipFile(path) as archive:
        files = [entry for entry in archive.infolist() if not entry.is_dir() and not _of_a_system(entry.filename)]
    if len(files) != 1:
        shown = ", ".join(entry.filename for entry in files[:5]) + (" …" if len(files) > 5 else "")
        raise DataError(f"{path} holds {len(files)} files ({shown}): unpack it, so that each can be named.")
    if files[0].flag_bits & 1:
        raise DataError(f"{path} is locked by a password: unpack it.")
    if files[0].compress_type not in _METHODS:  # as Windows does with files of gigabytes
        raise DataError(f"{path} is compressed in a way that cannot be read here: unpack it.")
    return files[0].filename


def _of_a_system(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def open_bytes(path: Path) -> IO[bytes]:
    """Opens a file for reading, through gzip or zip when it is packed."""
    if not is_packed(path):
        return path.open("rb")
    if path.name.endswith(".gz") or not is_archive(path):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return zipfile.ZipFile(path).open(member_of(path))


def temporary(stack: ExitStack) -> IO[bytes]:
    """A file that goes when the stack is closed."""
    return stack.enter_context(tempfile.NamedTemporaryFile())  # noqa: SIM115


def unpacked(path: Path, stack: ExitStack) -> Path:
    """The file itself, or what a packed one holds in a temporary file."""
    if not is_packed(path):
        return path
    target = temporary(stack)
    with open_bytes(path) as packed:
        while block := packed.read(1 << 20):
            target.write(block)
    target.flush()
    return Path(target.name)


def some_values(values: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The filled ones of the first rows, for Opened.sample."""
    return {name: [text for text in found[:SAMPLED] if text.strip()] for name, found in values.items()}
