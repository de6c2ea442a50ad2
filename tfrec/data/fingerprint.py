"""Telling whether an input file has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tfrec.files import sha256_file

_WHOLE = 256 << 20
_ENDS = 1 << 20


def fingerprint(path: Path) -> str:
    """A hash that changes with a file's content.

    Args:
        path: the file.

    Returns:
        sha256 (hex) of the content below 256 MB; above, of its size, time of change, first and last megabyte, because
        reading it all again would take as long as preparing it.
    """
    size = path.stat().st_size
    if size < _WHOLE:
        return sha256_file(path)
    digest = hashlib.sha256(f"{size}\0{path.stat().st_mtime_ns}\0".encode())
    with path.open("rb") as handle:
        digest.update(handle.read(_ENDS))
        handle.seek(-_ENDS, 2)
        digest.update(handle.read(_ENDS))
    return digest.hexdigest()
