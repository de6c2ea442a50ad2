"""Writing files so that a kill at any moment leaves either the old state or the new one, never a half."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrec.errors import TfrecError

_ASIDE = ".partial-"


@contextlib.contextmanager
def atomic_directory(path: Path | str) -> Iterator[Path]:
    """Gives a temporary folder beside `path` and renames it to `path` when the block ends well.

    Left-overs of killed runs beside `path` are removed first. An existing folder is replaced; if the process
    dies between the two renames, the old one is found under its aside name and put back by the next call.

    Args:
        path: the folder to create.

    Yields:
        the folder to write into.

    Raises:
        TfrecError: the disk is full or the parent folder cannot be written.
    """
    path = Path(path)
    with speaking_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _recover(path)
        aside = path.parent / f".{path.name}{_ASIDE}{uuid.uuid4().hex[:8]}"
        aside.mkdir()
        try:
            yield aside
            sync_tree(aside)
            if path.exists():
                old = path.parent / f".{path.name}.old"
                os.rename(path, old)
                os.rename(aside, path)
                shutil.rmtree(old)
            else:
                os.rename(aside, path)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def _recover(path: Path) -> None:
    old = path.parent / f".{path.name}.old"
    if old.exists():
        if path.exists():
            shutil.rmtree(old)
        else:
            os.rename(old, path)
    for left_over in path.parent.glob(f".{path.name}{_ASIDE}*"):
        if left_over.is_dir():
            shutil.rmtree(left_over, ignore_errors=True)
        else:
            left_over.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Flushes every file below `folder` to the disk, so that a rename never precedes its content."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())


def atomic_write(path: Path | str, data: bytes | str) -> None:
    """Writes a file aside and renames it over `path`."""
    path = Path(path)
    raw = data.encode("utf-8") if isinstance(data, str) else data
    with speaking_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.parent / f".{path.name}{_ASIDE}{uuid.uuid4().hex[:8]}"
        try:
            with aside.open("wb") as handle:
                handle.write(raw)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def speaking_os_errors(path: Path) -> Iterator[None]:
    """Turns a full disk or a forbidden folder into one sentence that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno in (28, 122):  # ENOSPC, EDQUOT
            raise TfrecError(
                f"The disk is full while writing {path}: free some space and run the same command again."
            ) from error
        if error.errno in (1, 13, 30):  # EPERM, EACCES, EROFS
            raise TfrecError(
                f"{path} cannot be written ({error.strerror}): choose another folder or its rights."
            ) from error
        raise


def write_json(path: Path | str, value: Any) -> None:
    """Writes `value` as indented JSON with sorted keys, atomically."""
    atomic_write(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Reads a JSON file; a broken one is named."""
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise TfrecError(f"{path} is not valid JSON ({error}): delete it and run the command again.") from error


def sha256_file(path: Path | str) -> str:
    """The sha256 of a file's bytes as hex."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
