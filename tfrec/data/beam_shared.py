"""What the stages of a Beam pipeline tell each other over a disk."""

from __future__ import annotations

import hmac
import pickle
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.errors import TfrecError
from tfrec.files import atomic_write

_SIZE = 32  # bytes of a signature


@dataclass(frozen=True)
class Shared:
    """The folder by which the stages of one pipeline tell each other what Beam's collections do not bring back.

    Beam pickles what it sends to workers. What lies on a disk between them is signed, by a key that only this pipeline
    has, and looked at before it is unpickled: whoever else can write there cannot have it run.

    Attributes:
        folder: of the pipeline alone.
        key: secret of this run.
    """

    folder: Path
    key: bytes

    @classmethod
    def of(cls, folder: Path) -> Shared:
        """With a new key."""
        return cls(folder, secrets.token_bytes(32))

    def keep(self, name: str, value: Any) -> None:
        """Writes a value, whole or not at all."""
        told = pickle.dumps(value)
        atomic_write(self.folder / name, self._signature(name, told) + told)

    def known(self, name: str) -> Any:
        """Reads a value.

        Raises:
            TfrecError: this pipeline has not written it.
        """
        written = (self.folder / name).read_bytes()
        if not hmac.compare_digest(written[:_SIZE], self._signature(name, written[_SIZE:])):
            raise TfrecError(f"{self.folder / name} was changed while the pipeline ran: start it again.")
        return pickle.loads(written[_SIZE:])

    def _signature(self, name: str, told: bytes) -> bytes:
        return hmac.digest(self.key, name.encode() + b"\0" + told, "sha256")
