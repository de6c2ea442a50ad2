"""Versions that could not be loaded: why, and when each is worth another try."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfrec.errors import TfrecError
from tfrec.serving.server.versions.folders import Fingerprint, Version, fingerprint


@dataclass
class _Refusal:
    error: TfrecError
    files: Fingerprint
    tries: int
    again: float
    seen: Fingerprint = ()

    def is_due(self, folder: Path, retries: int) -> bool:
        """Whether to try again: the time has come, or the files have changed and keep still since the last look."""
        if self.tries <= retries and time.monotonic() >= self.again:
            return True
        before, self.seen = self.seen, fingerprint(folder)
        if self.seen == self.files or self.seen != before:
            return False
        self.tries = 0
        return True


class Refusals:
    """The refused versions of all models.

    Args:
        retries: how often a version is tried again though its files are the same.
        retry_seconds: between two tries.
    """

    def __init__(self, retries: int, retry_seconds: float) -> None:
        self._retries, self._retry_seconds = retries, retry_seconds
        self._found: dict[tuple[str, int], _Refusal] = {}

    def add(self, name: str, number: int, error: TfrecError, files: Fingerprint) -> None:
        """A version was refused; `files` is how its folder looked before the try."""
        before = self._found.get((name, number))
        tries = before.tries + 1 if before is not None else 1
        self._found[name, number] = _Refusal(error, files, tries, time.monotonic() + self._retry_seconds)

    def clear(self, name: str, number: int) -> None:
        """A version was loaded after all."""
        self._found.pop((name, number), None)

    def numbers(self, name: str) -> set[int]:
        """The refused versions of a model."""
        return {number for model, number in self._found if model == name}

    def not_due(self, name: str, present: Sequence[Version]) -> set[int]:
        """Versions that are not to be tried now. To be asked once at each look; forgets those whose folder is gone."""
        folders = {version.number: version.folder for version in present}
        for number in self.numbers(name) - set(folders):
            self.clear(name, number)
        return {n for n in self.numbers(name) if not self._found[name, n].is_due(folders[n], self._retries)}

    def keep_models(self, names: Collection[str]) -> None:
        """Forgets the versions of all other models."""
        self._found = {key: refusal for key, refusal in self._found.items() if key[0] in names}

    def reason(self, name: str, number: int | None = None) -> TfrecError | None:
        """Why a version was refused; without a number the newest refused one of the model."""
        for (model, version), refusal in sorted(self._found.items(), key=lambda one: one[0], reverse=True):
            if model == name and number in (None, version):
                return refusal.error
        return None
