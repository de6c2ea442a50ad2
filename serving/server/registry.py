"""Which versions of which models there are, and which one a request means."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import grpc

from serving.server.loader import Servable
from serving.server.status import StatusError, invalid_argument

START, LOADING, AVAILABLE, UNLOADING, END = 10, 20, 30, 40, 50  # ModelVersionStatus.State


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
    """Holds the versions. Readers take an immutable snapshot, so a request never waits for a change."""

    def __init__(self) -> None:
        self._models: dict[str, dict[int, VersionState]] = {}
        self._lock = threading.Lock()

    def set_state(self, name: str, version: int, state: VersionState) -> None:
        """Records a version's new state."""
        with self._lock:
            versions = {**self._models.get(name, {}), version: state}
            self._models = {**self._models, name: dict(sorted(versions.items(), reverse=True))}

    def states(self, name: str) -> dict[int, VersionState]:
        """The states of a model's versions, newest first; empty for an unknown name."""
        return self._models.get(name, {})

    def resolve(self, request: Any) -> Servable:
        """The version that a request's model_spec means: the one it names, or the newest available.

        Raises:
            StatusError: INVALID_ARGUMENT without a name or with a label, NOT_FOUND when nothing available fits.
        """
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        spec = request.model_spec
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        refuse_label(spec)
        for version, state in self.states(spec.name).items():
            if state.servable is not None and (choice is None or version == spec.version.value):
                return state.servable
        wanted = f"Latest({spec.name})" if choice is None else f"Specific({spec.name}, {spec.version.value})"
        raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")


def refuse_label(spec: Any) -> None:
    """Answers a version label as TF Serving answers one that is not configured."""
    if spec.WhichOneof("version_choice") == "version_label":
        raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
