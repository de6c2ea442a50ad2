"""The folder of installed encoders: TFREC_HOME/encoders, by default ~/.cache/tfrec/encoders."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrec.errors import EncoderError
from tfrec.files import read_json, write_json

FORMAT = 1  # of the SavedModel pair; encoders of another format count as not installed
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclasses.dataclass(frozen=True)
class InstalledEncoder:
    """An installed encoder: its folder and what encoder.json says about it."""

    folder: Path
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """The name to give as `encoder.name`."""
        return self.folder.name

    @property
    def encoder(self) -> Path:
        """The encoder's SavedModel."""
        return self.folder / "encoder"

    @property
    def preprocessor(self) -> Path:
        """The preprocessor's SavedModel."""
        return self.folder / "preprocessor"

    @property
    def fingerprint(self) -> str:
        """Sha256 over the sizes, the weights and the vocabulary it was made from."""
        return str(self.facts["fingerprint"])

    @property
    def pretrained(self) -> bool:
        """Whether its weights were learned from texts, and not drawn at random by `install_scratch`."""
        return not str(self.facts.get("source", "")).startswith("scratch")


def home() -> Path:
    """The folder that holds everything fetched or installed: $TFREC_HOME or ~/.cache/tfrec."""
    return Path(os.environ.get("TFREC_HOME") or Path.home() / ".cache" / "tfrec").expanduser()


def encoder_folder(name: str) -> Path:
    """Where the encoder of that name lives or would live.

    Raises:
        EncoderError: the name is not a plain word.
    """
    if not _NAME.fullmatch(name):
        raise EncoderError(f"{name!r} cannot name an encoder: use letters, digits, dot, dash and underscore.")
    return home() / "encoders" / name


def find(name: str) -> InstalledEncoder | None:
    """The installed encoder of that name, or None."""
    if not _NAME.fullmatch(name):
        return None
    return at(encoder_folder(name))


def at(folder: Path) -> InstalledEncoder | None:
    """The encoder in that folder, or None when there is no whole one of this format."""
    file = folder / "encoder.json"
    facts = read_json(file) if file.is_file() else {}
    return InstalledEncoder(folder, facts) if facts.get("format") == FORMAT else None


def is_pretrained(name: str) -> bool:
    """Whether the encoder that a configuration names understands texts untrained; of two that are joined, the first."""
    first = name if "://" in name else name.partition("+")[0]
    found = find(first) or at(Path(first).expanduser())
    return found is None or found.pretrained  # what is not here yet is installed or fetched: it was published


def installed() -> list[InstalledEncoder]:
    """All installed encoders by name."""
    found = (at(folder) for folder in sorted((home() / "encoders").glob("[A-Za-z0-9]*")))
    return [encoder for encoder in found if encoder is not None]


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Writes encoder.json; it is the last file written, so an encoder without it is not whole."""
    write_json(folder / "encoder.json", {**facts, "format": FORMAT})


@contextlib.contextmanager
def install_lock(name: str) -> Iterator[None]:
    """Lets one process at a time install an encoder of that name; the others wait."""
    folder = encoder_folder(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{name}.lock").open("w") as handle:
        try:
            import fcntl
        except ImportError:  # no file locks on this system: the rename into place is still atomic
            yield
            return
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
