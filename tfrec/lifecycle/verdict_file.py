"""The gate's verdict on a version, in a file beside the version's folder: the folder's own manifest stays whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from tfrec.errors import ExportError
from tfrec.export.manifest import MANIFEST
from tfrec.files import read_json, sha256_file, write_json

Outcome = Literal["pass", "refuse", "doubtful"]
PASS: Outcome = "pass"
REFUSE: Outcome = "refuse"
DOUBTFUL: Outcome = "doubtful"
FORMAT = 1


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    Attributes:
        version: that was judged.
        manifest_sha256: of its manifest, which holds the sha256 of all its files.
        against: the version that it was compared with; None where there was none.
        outcome: "pass", "refuse" or "doubtful".
        reasons: why it is not a pass, a sentence each.
        when: ISO 8601.
        numbers: everything that was measured, as plain JSON values.
    """

    version: int
    manifest_sha256: str
    against: int | None
    outcome: Outcome
    reasons: tuple[str, ...]
    when: str
    numbers: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def drift_alerts(self) -> list[str]:
        """What has moved beyond its limit since the version before was exported, a sentence each."""
        return [one["sentence"] for one in self.numbers.get("drift", ()) if one["alert"]]

    @property
    def sha256(self) -> str:
        """Of the whole verdict; the file and the log of acts hold it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def verdict_path(export: Path, version: int) -> Path:
    """Where the verdict on a version is."""
    return Path(export) / f"{version}.verdict.json"


def write_verdict(export: Path, verdict: Verdict) -> Path:
    """Writes a verdict aside and renames it into place, over an older one of this version."""
    path = verdict_path(export, verdict.version)
    write_json(path, {"format": FORMAT, "sha256": verdict.sha256, **asdict(verdict)})
    return path


def read_verdict(export: Path, version: int) -> Verdict | None:
    """The verdict on a version, None where the gate has not judged it.

    Raises:
        ExportError: the file was changed after it was written, or is none of this version as it stands there.
    """
    path = verdict_path(export, version)
    if not path.is_file():
        return None
    values = read_json(path)
    told, form = values.pop("sha256", None), values.pop("format", None)
    try:
        verdict = Verdict(**{**values, "reasons": tuple(values["reasons"])})
    except (TypeError, KeyError):
        verdict = None
    again = f"run `tfrec gate --candidate {version}` again"
    if verdict is None or form != FORMAT or verdict.sha256 != told or verdict.outcome not in (PASS, REFUSE, DOUBTFUL):
        raise ExportError(f"{path} is not a verdict as the gate wrote it: {again}.")
    stands = manifest_digest(export, version)
    if verdict.version != version or verdict.manifest_sha256 != stands:
        raise ExportError(f"{path} is about another version than the one that stands in {export}/{version}: {again}.")
    return verdict


def manifest_digest(export: Path, version: int) -> str:
    """sha256 (hex) of a version's manifest.

    Raises:
        ExportError: it has none.
    """
    path = Path(export) / str(version) / MANIFEST
    if not path.is_file():
        raise ExportError(f"{path.parent} has no {MANIFEST}, so it cannot be trusted: export the model again.")
    return sha256_file(path)
