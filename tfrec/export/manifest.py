"""The manifest of an export: the sha256 of every file and what the export was made from."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any

from tfrec.errors import ExportError
from tfrec.files import sha256_file, write_json
from tfrec.json_text import parse_json

MANIFEST = "tfrec_manifest.json"
FORMAT = 1
_PACKAGES = ("tensorflow", "tensorflow-text", "tf-keras", "tensorflow-recommenders", "tfrec-shop")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages an export depends on, by name."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_manifest(folder: Path, extra: dict[str, Any]) -> dict[str, Any]:
    """Writes `tfrec_manifest.json` over all files below `folder`.

    Args:
        folder: a finished export, not yet renamed into place.
        extra: what the export was made from (hashes, metrics, signatures, ...), under keys of its own.

    Returns:
        The manifest: {"format", "files": {path: {"sha256", "bytes"}}, "versions", **extra}.

    Raises:
        ExportError: `folder` holds a symbolic link.
    """
    folder = Path(folder)
    files = {name: _entry(path) for name, path in _files_below(folder).items() if name != MANIFEST}
    manifest = {**extra, "format": FORMAT, "files": files, "versions": versions()}
    write_json(folder / MANIFEST, manifest)
    return manifest


def extend_manifest(folder: Path, extra: dict[str, Any], added: Sequence[str] = ()) -> None:
    """Adds to the manifest of an export that is not yet renamed into place; its other files must be as they were.

    Args:
        folder: the export.
        extra: what became known by loading it, under keys of its own.
        added: files that came since, relative POSIX paths.
    """
    manifest = read_manifest(folder)
    manifest["files"] |= {name: _entry(Path(folder) / name) for name in added}
    write_json(Path(folder) / MANIFEST, {**extra, **manifest})


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Reads a version folder's manifest without comparing the files with it.

    Raises:
        ExportError: it is missing, is not valid JSON, or lists no files.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file() or path.is_symlink():
        raise ExportError(f"{folder} has no {MANIFEST}, so it cannot be trusted: export the model again.")
    try:
        manifest = parse_json(path.read_bytes())
    except ValueError as error:
        raise ExportError(f"{path} is not valid JSON ({error}): export the model again.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ExportError(f"{path} lists no files: export the model again.")
    if manifest.get("format") != FORMAT:
        raise ExportError(
            f"{path} has format {manifest.get('format')!r}, this tfrec reads {FORMAT}: export the model again."
        )
    return manifest


def verify_manifest(folder: Path) -> dict[str, Any]:
    """Checks that a version folder is byte by byte what was exported. Needs no TensorFlow.

    Args:
        folder: the version folder.

    Returns:
        The manifest.

    Raises:
        ExportError: the manifest is missing or broken, a file is missing, changed or not listed, a listed path leaves
            the folder, or something in the folder is a symbolic link. The message names the file.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    listed = listed_files(manifest, folder)
    present = _files_below(folder)
    for name in sorted(listed):
        if name not in present:
            raise ExportError(f"{folder / name} is missing from the export: copy or export it again.")
    for name, path in sorted(present.items()):
        if name == MANIFEST:
            continue
        if name not in listed:
            raise ExportError(f"{path} does not belong to the export (it is not in {MANIFEST}): remove it.")
        _compare(path, listed[name])
    return manifest


def listed_files(manifest: dict[str, Any], folder: Path | str) -> dict[str, Any]:
    """The files that a manifest lists, by relative POSIX path.

    Args:
        manifest: of a version.
        folder: where it is, for the message.

    Raises:
        ExportError: a path leaves the folder.
    """
    for name in manifest["files"]:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\\" in name or str(pure) != name or name == MANIFEST:
            raise ExportError(f"{folder}/{MANIFEST} lists {name!r}, a path outside the export: do not load it.")
    return manifest["files"]


def _compare(path: Path, expected: Any) -> None:
    """Raises ExportError unless the file has the size and the sha256 that the manifest states."""
    if not isinstance(expected, dict) or not isinstance(expected.get("sha256"), str):
        raise ExportError(f"{path} has no sha256 in {MANIFEST}: export the model again.")
    if path.stat().st_size != expected.get("bytes") or sha256_file(path) != expected["sha256"]:
        raise ExportError(f"{path} is not the file that was exported (its sha256 differs): copy or export it again.")


def _files_below(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by its relative POSIX path; links and special files are refused."""
    found: dict[str, Path] = {}
    for root, folders, names in os.walk(folder, followlinks=False):
        for name in [*folders, *names]:
            path = Path(root) / name
            if path.is_symlink():
                raise ExportError(f"{path} is a symbolic link, and an export holds none: copy or export it again.")
            if name in names:
                if not path.is_file():
                    raise ExportError(f"{path} is not a plain file: remove it or export again.")
                found[path.relative_to(folder).as_posix()] = path
    return found
