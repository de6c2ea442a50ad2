"""The versions of an export folder: what each was made of, what the gate said, where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tfrec.errors import ExportError, TfrecError
from tfrec.export.manifest import MANIFEST, read_manifest
from tfrec.export.version_names import version_number
from tfrec.lifecycle.act_log import Standing, standing
from tfrec.lifecycle.verdict_file import Verdict, read_verdict


@dataclass(frozen=True)
class VersionFacts:
    """One version.

    Attributes:
        number: its number, the folder's name.
        made: when its manifest was written here, UTC.
        signature: sha256 (hex) of everything that the weights and the catalogue depend on.
        config: sha256 (hex) of the configuration.
        items: size of the catalogue.
        bytes: of all files.
        verdict: of the gate, None where it has not judged.
        labels: "stable", "canary", "before" (was stable last).
        fault: what is wrong with the version or its verdict, "" for nothing.
    """

    number: int
    made: datetime
    signature: str
    config: str
    items: int
    bytes: int
    verdict: Verdict | None
    labels: tuple[str, ...]
    fault: str = ""


def version_numbers(export: Path) -> list[int]:
    """The versions of an export folder, newest first.

    Raises:
        ExportError: there is none.
    """
    base = Path(export)
    names = [entry.name for entry in base.iterdir() if entry.is_dir()] if base.is_dir() else []
    numbers = [number for name in names if (number := version_number(name)) is not None and name == str(number)]
    if not numbers:
        raise ExportError(f"{export} holds no export (no version folder such as 1): run `tfrec export` first.")
    return sorted(numbers, reverse=True)


def check_version(export: Path, number: int) -> None:
    """Refuses a version that is not there.

    Raises:
        ExportError: it is not; the message names those that are.
    """
    there = version_numbers(export)
    if number not in there:
        shown = ", ".join(map(str, there[:10]))
        raise ExportError(f"There is no version {number} in {export}: there are {shown}.")


def last_full_training(export: Path, below: int | None = None) -> int | None:
    """The newest version, below a number, that was trained from the pretrained weights; None where none tells so."""
    for number in version_numbers(export):
        try:
            manifest = read_manifest(Path(export) / str(number))
        except ExportError:
            continue
        if manifest.get("trained_from", "") is None and (below is None or number < below):
            return number
    return None


def list_versions(export: Path) -> list[VersionFacts]:
    """All versions of an export folder, newest first; files are not compared with the manifest.

    Raises:
        ExportError: there is none.
        TfrecError: the log of acts cannot be read.
    """
    stands = standing(export)
    return [_facts(Path(export), number, stands) for number in version_numbers(export)]


def _facts(export: Path, number: int, stands: Standing) -> VersionFacts:
    labels = [label for label, version in stands.labels.items() if version == number]
    if stands.before[:1] == (number,):
        labels.append("before")
    folder = export / str(number)
    verdict, faults = None, []
    try:
        manifest = read_manifest(folder)
    except ExportError as error:
        manifest = {"files": {}}
        faults.append(str(error))
    else:
        try:
            verdict = read_verdict(export, number)
        except TfrecError as error:
            faults.append(str(error))
    return VersionFacts(
        number=number,
        made=made_when(export, number),
        signature=str(manifest.get("signature", "")),
        config=str(manifest.get("config_sha256", "")),
        items=int(manifest.get("items", 0)),
        bytes=size_of(manifest),
        verdict=verdict,
        labels=tuple(labels),
        fault=" ".join(faults),
    )


def size_of(manifest: dict) -> int:
    """Bytes of all files that a manifest lists."""
    return sum(int(file.get("bytes", 0)) for file in manifest["files"].values() if isinstance(file, dict))


def made_when(export: Path, number: int) -> datetime:
    """When a version came to be in an export folder, UTC."""
    folder = Path(export) / str(number)
    file = folder / MANIFEST
    return datetime.fromtimestamp((file if file.is_file() else folder).stat().st_mtime, timezone.utc)
