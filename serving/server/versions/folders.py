"""Version folders below a model's base path: which there are, which are wanted, and whether one has changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tfrec.errors import ServingError
from tfrec.export.version_names import LARGEST_VERSION, beyond, version_number
from tfrec.serving.server.configuration.model_config import VersionPolicy

logger = logging.getLogger("tfrec.serving.server")
Fingerprint = tuple[tuple[str, int, int, int], ...]


class Version(NamedTuple):
    """A version folder below a model's base path."""

    number: int
    folder: Path


def find_versions(base_path: Path | str) -> list[Version]:
    """Lists the versions of a model, newest (highest number) first. Names that are not integers are ignored.

    Args:
        base_path: folder that holds one folder per version; a version folder itself stands for just that version.

    Raises:
        ServingError: the folder is missing or holds no version.
    """
    base = Path(base_path)
    if not base.is_dir():
        raise ServingError(f"There is no export folder {base}: make one with `tfrec export`.")
    if (base / "saved_model.pb").is_file():
        own = base.resolve().name
        if (number := version_number(own)) is not None:
            return [Version(number, base)]
        if beyond(own):
            raise ServingError(f"{base} {_TOO_LARGE}: rename it.")
    found: dict[int, Path] = {}
    too_large: Path | None = None
    for entry in sorted(base.iterdir(), key=lambda entry: len(entry.name), reverse=True):
        if (number := version_number(entry.name)) is not None and entry.is_dir():
            found[number] = entry  # of 7 and 007 the shorter name counts
        elif beyond(entry.name) and entry.is_dir():
            too_large = entry
            _tell_once(str(entry))
    if not found and too_large is not None:
        raise ServingError(f"{too_large} {_TOO_LARGE}: rename it.")
    if not found:
        raise ServingError(f"{base} holds no version folder (a number such as 1): make one with `tfrec export`.")
    return [Version(number, found[number]) for number in sorted(found, reverse=True)]


def wanted(policy: VersionPolicy, present: Sequence[Version], refused: Collection[int]) -> list[Version]:
    """The versions that a policy asks for, newest first.

    Args:
        policy: latest, all, or specific.
        present: the versions there are, newest first.
        refused: numbers of versions that could not be loaded. For "latest" the next older ones take their place, so
            that a broken export costs nothing but its own novelty.
    """
    usable = [version for version in present if version.number not in refused]
    if policy.kind == "specific":
        return [version for version in usable if version.number in policy.versions]
    return usable[: policy.count] if policy.kind == "latest" else usable


def check_place(base_path: Path | str, folder: Path) -> None:
    """Refuses a version folder that lies elsewhere, behind a link.

    Raises:
        ServingError: the folder, links followed, is not below the base path (links followed).
    """
    if not is_below(folder, Path(base_path)):
        base, real = Path(base_path).resolve(), folder.resolve()
        raise ServingError(f"{folder} is a link to {real}, outside {base}: models are loaded from below that only.")


def is_below(folder: Path, base: Path) -> bool:
    """Whether a folder is another one or lies below it, links in both followed."""
    base, real = base.resolve(), folder.resolve()
    return real == base or base in real.parents


def fingerprint(folder: Path) -> Fingerprint:
    """Name, size, time and inode of every file below a folder: equal as long as nobody touches them."""
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            try:
                status = os.lstat(path)
            except OSError:  # gone since
                continue
            found.append((path, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(sorted(found))


_TOO_LARGE = f"is no version, for versions end at {LARGEST_VERSION}"


@lru_cache(maxsize=256)
def _tell_once(folder: str) -> None:
    logger.warning("%s %s: it is left out", folder, _TOO_LARGE)
