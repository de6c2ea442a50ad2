"""Which folder names are versions (TensorFlow Serving keeps one in a signed 64-bit integer), and the newest of them."""

from __future__ import annotations

import re
from pathlib import Path

LARGEST_VERSION = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,40}")


def version_number(name: str) -> int | None:
    """The version that a folder's name stands for; None for a name that is none, or is beyond the largest."""
    number = int(name) if _DIGITS.fullmatch(name) else LARGEST_VERSION + 1
    return number if number <= LARGEST_VERSION else None


def beyond(name: str) -> bool:
    """Whether a name would be a version, were it not too large."""
    return re.fullmatch("[0-9]+", name) is not None and version_number(name) is None


def newest_version(base: Path) -> Path | None:
    """The folder with the greatest integer name below `base`, or None."""
    versions = [folder for folder in Path(base).glob("[0-9]*") if folder.is_dir() and _number(folder) >= 0]
    return max(versions, key=lambda folder: (_number(folder), -len(folder.name)), default=None)


def _number(folder: Path) -> int:
    number = version_number(folder.name)
    return -1 if number is None else number
