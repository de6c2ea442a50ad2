"""Which versions of which models there are, and which one a request means."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from tfrec.serving.server.metrics.counters import NULL
from tfrec.serving.server.sessions.servable import Servable
from tfrec.serving.server.status import StatusError, invalid_argument

START, LOADING, AVAILABLE, UNLOADING, END = 10, 20, 30, 40, 50  # ModelVersionStatus.State
_ENDED_KEPT = 20  # ended versions whose state is remembered


@dataclass(frozen=True)
class VersionState:
    """State of one version.

    Attributes:
        state: a ModelVersionStatus.State.
        servable: the loaded model while it is AVAILABLE.
        error_code: a google.rpc code; 0 when healthy.
        error_message: why the version ended, empty when healthy.
    """

    state: int
    servable: Servable | None = None
    error_code: int = 0
    error_message: str = ""


class Registry:
    """Holds the versions. Readers take an immutable snapshot, so a request never waits for a change.

    Args:
        metrics: told about every change of a state (see tfrec.serving.server.metrics.counters).
    """

    def __init__(self, metrics: Any = NULL) -> None:
        self._models: dict[str, dict[int, VersionState]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._served: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._metrics = metrics

    def set_state(self, name: str, version: int, state: VersionState) -> None:
        """Records a version's new state."""
        with self._lock:
            self._set(name, version, state)

    def replace_state(self, name: str, version: int, before: VersionState, state: VersionState) -> bool:
        """Records a version's new state if its state still is the object `before`; tells whether it was."""
        with self._lock:
            if self._models.get(name, {}).get(version) is not before:
                return False
            self._set(name, version, state)
            return True

    def _set(self, name: str, version: int, state: VersionState) -> None:
        versions = dict(sorted({**self._models.get(name, {}), version: state}.items(), reverse=True))
        ended = [number for number, one in versions.items() if one.state == END and number != version]
        for number in ended[_ENDED_KEPT:]:
            del versions[number]
            self._metrics.version_gone(name, number)
        self._models = {**self._models, name: versions}
        if state.state == AVAILABLE and name not in self._served:
            self._served = (*self._served, name)
        self._metrics.version_state(name, version, state.state)

    def set_labels(self, name: str, labels: Mapping[str, int]) -> None:
        """Replaces a model's labels."""
        with self._lock:
            self._labels = {**self._labels, name: dict(labels)}

    def forget(self, name: str) -> None:
        """Drops a model that is served no more. Its versions have ended."""
        with self._lock:
            for version in self._models.get(name, {}):
                self._metrics.version_gone(name, version)
            self._models = {other: states for other, states in self._models.items() if other != name}
            self._labels = {other: labels for other, labels in self._labels.items() if other != name}
            self._served = tuple(other for other in self._served if other != name)

    def names(self) -> list[str]:
        """The models that are served or have been; one that is only being loaded is not yet among them."""
        return list(self._served)

    def mentioned(self) -> list[str]:
        """All models that have any state."""
        return list(self._models)

    def states(self, name: str) -> dict[int, VersionState]:
        """The states of a model's versions, newest first; empty for an unknown name."""
        return self._models.get(name, {})

    def labels(self, name: str) -> dict[str, int]:
        """Version numbers by label."""
        return self._labels.get(name, {})

    @contextmanager
    def acquire(self, name: str, version: int | None = None, label: str | None = None) -> Iterator[Servable]:
        """The version that a request means, held until the context ends: it is not unloaded meanwhile.

        Args:
            name: the model.
            version: its number; None takes the newest available (or the label's).
            label: a label; takes part only without a version.

        Raises:
            StatusError: INVALID_ARGUMENT for a label that is not set, NOT_FOUND when nothing available fits.
        """
        servable = self._entered(name, version, label)
        try:
            yield servable
        finally:
            servable.leave()

    def _entered(self, name: str, version: int | None, label: str | None) -> Servable:
        if version is None and label is not None:
            version = self.labels(name).get(label)
            if version is None:
                raise invalid_argument(f"Unrecognized servable version label: {label}")
        while True:
            snapshot = self._models
            for number, state in snapshot.get(name, {}).items():
                if state.servable is not None and version in (None, number) and state.servable.enter():
                    return state.servable
            if snapshot is self._models:  # nothing has changed while we looked
                wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
