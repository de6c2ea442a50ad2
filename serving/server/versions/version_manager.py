"""The versions of the models: loads what is asked for, refuses what cannot be loaded, unloads what is not wanted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfrec.errors import ServingError, TfrecError
from tfrec.serving.server.configuration.model_config import ModelConfig
from tfrec.serving.server.security.limits import Admission
from tfrec.serving.server.sessions.batcher import Batcher
from tfrec.serving.server.sessions.servable import Surroundings
from tfrec.serving.server.versions.core_settings import CoreSettings
from tfrec.serving.server.versions.folders import Version, find_versions, fingerprint, wanted
from tfrec.serving.server.versions.loader import load_warm
from tfrec.serving.server.versions.refusals import Refusals
from tfrec.serving.server.versions.registry import AVAILABLE, END, LOADING, Registry, VersionState
from tfrec.serving.server.versions.unloading import Unloading

logger = logging.getLogger("tfrec.serving.server")
_FAILED_PRECONDITION = 9  # google.rpc.Code


class VersionManager:
    """Keeps the registry in step with the folders. To be used by one thread at a time.

    Args:
        registry: the versions, for those who answer requests.
        settings: how versions are loaded and run.
        metrics: told about loads, queues and batches.
        stopped: set when the server ends; a load that is going on is then given up.
    """

    def __init__(self, registry: Registry, settings: CoreSettings, metrics: Any, stopped: threading.Event) -> None:
        self._registry, self._metrics, self._stopped = registry, metrics, stopped
        self._loading = settings.loading
        self._shared = Surroundings(
            Batcher(settings.batching, metrics), settings.limits, Admission(settings.limits.concurrency), settings.log
        )
        self._refused = Refusals(settings.retries, settings.retry_seconds)
        self._unloading = Unloading(registry, settings.drain_seconds)

    def bring(self, config: ModelConfig, beside: bool) -> None:
        """Loads what the policy asks for and is not loaded.

        Raises:
            TfrecError: no version of the model is available after that, or not all of the specific ones.
        """
        error: TfrecError | None = None
        left_out: set[int] | None = None
        while not self._stopped.is_set():  # each turn either loads or refuses one version
            try:
                present = find_versions(config.base_path)
            except (ServingError, OSError) as problem:
                error = (
                    problem if isinstance(problem, ServingError) else ServingError(f"{config.base_path}: {problem}.")
                )
                break
            if left_out is None:
                left_out = self._refused.not_due(config.name, present)
            available = self.available(config.name)
            missing = [one for one in wanted(config.policy, present, left_out) if not _is(one, available)]
            if not missing:
                break
            try:
                self._load(config, missing[0], beside)
            except TfrecError as problem:
                error = error or problem
                left_out.add(missing[0].number)
        available = self.available(config.name)
        if config.policy.kind == "specific":
            lacking = [number for number in config.policy.versions if number not in available]
            if lacking:
                raise error or self._why(config, lacking[0])
        elif not available:
            raise error or self._why(config)

    def available(self, name: str) -> dict[int, Path]:
        """Folders of the available versions by number, newest first."""
        states = self._registry.states(name).items()
        return {number: state.servable.folder for number, state in states if state.servable is not None}

    def _load(self, config: ModelConfig, version: Version, beside: bool) -> None:
        name, number, started = config.name, version.number, time.perf_counter()
        old = self._registry.states(name).get(number)
        if old is None or old.servable is None:  # the same number from another base path replaces what is loaded
            self._registry.set_state(name, number, VersionState(LOADING))
        files = fingerprint(version.folder)
        try:
            servable = load_warm(
                name, config.base_path, version, self._loading, self._shared, beside, self._stopped.is_set
            )
        except TfrecError as error:
            if not self._stopped.is_set():
                self._refused.add(name, number, error, files)
                logger.error("Refused version %d of %s: %s", number, name, error)
                self._metrics.load(name, number, time.perf_counter() - started, False, config.base_path)
            if old is None or old.servable is None:
                state = VersionState(END, None, _FAILED_PRECONDITION, str(error))
                self._registry.set_state(name, number, state)
            raise
        self._refused.clear(name, number)
        self._metrics.load(name, number, time.perf_counter() - started, True, config.base_path)
        self._metrics.drift.reference(name, number, servable.manifest, version.folder)
        self._registry.set_state(name, number, VersionState(AVAILABLE, servable))
        logger.info("Version %d of %s is available", number, name)
        if old is not None and old.servable is not None:
            self._unloading.retire(old.servable)

    def unload_unwanted(self, config: ModelConfig) -> None:
        """Unloads versions that the policy does not ask for, once it has what it asks for."""
        try:
            present = find_versions(config.base_path)
        except (ServingError, OSError):
            return  # a folder that is gone for the moment takes nothing away
        available = self.available(config.name)
        keep = {version.number for version in wanted(config.policy, present, self._refused.numbers(config.name))}
        keep.update(number for number in self._registry.labels(config.name).values() if number in available)
        if not keep & set(available):
            return
        for number in set(available) - keep:
            self._unload(config.name, number)

    def drop_all_but(self, names: Iterable[str]) -> None:
        """Unloads all other models and forgets them."""
        kept = set(names)
        self._refused.keep_models(kept)
        for name in self._registry.mentioned():
            if name not in kept:
                for number in self.available(name):
                    self._unload(name, number)
                self._registry.forget(name)

    def _unload(self, name: str, number: int) -> None:
        self._metrics.drift.forget(name, number)
        self._unloading.unload(name, number)

    def unload_all(self) -> None:
        """Takes everything out of service."""
        for name in self._registry.mentioned():
            for number in self.available(name):
                self._unload(name, number)

    def wait(self, seconds: float) -> None:
        """Waits until everything that is being unloaded has gone, at most so long."""
        self._unloading.wait(seconds)

    def _why(self, config: ModelConfig, number: int | None = None) -> TfrecError:
        """The reason that keeps a model, or one version of it, from being served."""
        what = "a version that its policy asks for" if number is None else f"version {number}"
        return self._refused.reason(config.name, number) or ServingError(
            f"{config.base_path} holds no {what} of {config.name}: export it or change the policy."
        )


def _is(version: Version, available: dict[int, Path]) -> bool:
    return available.get(version.number) == version.folder
