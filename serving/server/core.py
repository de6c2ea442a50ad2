"""The core of the server, without any port: models, their versions, and the watch over their folders.

A new version is loaded and warmed beside the old one, which answers until then; requests go over at once, the old
version finishes what it has begun and is unloaded. What cannot be loaded is refused with its reason in the status.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from serving.server.batcher import Batcher, BatchSettings
from serving.server.limits import Admission, Limits
from serving.server.loader import LoadSettings, load_warm
from serving.server.metrics import NULL
from serving.server.model_config import ModelConfig
from serving.server.registry import AVAILABLE, END, LOADING, UNLOADING, Registry, VersionState
from serving.server.request_log import RequestLog
from serving.server.servable import Servable, Surroundings
from serving.server.status import StatusError
from serving.server.versions import Fingerprint, Version, find_versions, fingerprint, wanted
from tfrec.errors import ServingError, TfrecError

logger = logging.getLogger("serving.server")
_FAILED_PRECONDITION = 9  # google.rpc.Code


@dataclass(frozen=True)
class CoreSettings:
    """Settings of a core.

    Attributes:
        batching: workers and batches.
        limits: on each request.
        loading: how versions are loaded.
        log: of requests.
        poll_seconds: between two looks at the base paths; 0 or less looks only at the start and at reloads.
        retry_seconds: after which a version that could not be loaded is tried again though its files are the same.
        retries: how often.
        drain_seconds: after which it is noted that an old version is still in use.
    """

    batching: BatchSettings = field(default_factory=BatchSettings)
    limits: Limits = field(default_factory=Limits)
    loading: LoadSettings = field(default_factory=LoadSettings)
    log: RequestLog = field(default_factory=RequestLog)
    poll_seconds: float = 1.0
    retry_seconds: float = 60.0
    retries: int = 5
    drain_seconds: float = 60.0


@dataclass
class _Refusal:
    """Why a version was not loaded, and when it is worth another try."""

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


class ServingCore:
    """Serves models from their folders.

    Attributes:
        registry: the versions, for those who answer requests.

    Args:
        configs: the models.
        settings: the rest.
        metrics: told about loads, states, queues and batches (see serving.server.metrics).
    """

    def __init__(
        self, configs: Sequence[ModelConfig], settings: CoreSettings | None = None, metrics: Any = NULL
    ) -> None:
        self.settings = settings or CoreSettings()
        self.registry = Registry(metrics)
        self._configs = {config.name: config for config in configs}
        self._metrics = metrics
        self._shared = Surroundings(
            Batcher(self.settings.batching, metrics), self.settings.limits,
            Admission(self.settings.limits.concurrency), self.settings.log,
        )  # fmt: skip
        self._refused: dict[tuple[str, int], _Refusal] = {}
        self._change = threading.RLock()  # one load or unload at a time: memory for two versions is enough
        self._stopped = threading.Event()

    def start(self) -> None:
        """Loads every model and starts the watch.

        Raises:
            TfrecError: a model has no version that can be loaded; the reason of the newest is told.
        """
        with self._change:
            for config in self._configs.values():
                self._bring(config, beside=False)
            try:
                self._set_labels(self._configs.values())
            except StatusError as error:
                raise ServingError(f"{error.message}: correct version_labels.") from error
        if self.settings.poll_seconds > 0:
            threading.Thread(target=self._watch, name="watch-versions", daemon=True).start()

    def reload(self, configs: Sequence[ModelConfig]) -> None:
        """Replaces the list of models and waits until it is served: new ones are loaded, missing ones unloaded.

        Raises:
            StatusError: a model cannot be served or a label names no available version; all stays as it was, but for
                models that are loaded by then.
        """
        after = {config.name: config for config in configs}
        with self._change:
            try:
                for config in after.values():
                    self._bring(config, beside=True)
                self._set_labels(after.values())
            except TfrecError as error:
                self._drop_all_but(self._configs)
                raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from error
            except StatusError:
                self._drop_all_but(self._configs)
                raise
            self._configs = after
            for config in after.values():
                self._unload_unwanted(config)
            self._drop_all_but(after)
        logger.info("Serving %s after a reload", ", ".join(after) or "nothing")

    def look(self) -> None:
        """Looks once at every base path, loads what is new and unloads what is not wanted any more."""
        with self._change:
            for config in self._configs.values():
                if self._stopped.is_set():
                    return
                try:
                    self._bring(config, beside=True)
                except TfrecError as error:  # nothing can be loaded now; what is loaded serves on
                    logger.debug("%s: %s", config.name, error)
                self._unload_unwanted(config)

    def stop(self, grace_seconds: float = 0.0) -> None:
        """Ends the watch and unloads everything that nobody uses any more.

        Args:
            grace_seconds: how long a load that is going on may take to end; it is left alone after that.
        """
        self._stopped.set()
        if not self._change.acquire(timeout=grace_seconds if grace_seconds > 0 else 0.01):
            return
        try:
            self._configs = {}
            for name in self.registry.mentioned():
                for version, state in self.registry.states(name).items():
                    if state.servable is not None:
                        self.registry.set_state(name, version, VersionState(UNLOADING))
                        state.servable.retire(0.1)
                        self.registry.set_state(name, version, VersionState(END))
        finally:
            self._change.release()

    def _watch(self) -> None:
        while not self._stopped.wait(self.settings.poll_seconds):
            try:
                self.look()
            except Exception as error:  # the watch outlives whatever a file system does
                logger.error("Looking for versions failed: %s: %s", type(error).__name__, error)

    def _bring(self, config: ModelConfig, beside: bool) -> None:
        """Loads what the policy asks for and is not loaded.

        Raises:
            TfrecError: no version of the model is available after that, or not all of the specific ones.
        """
        error: TfrecError | None = None
        tried: set[int] = set()
        while not self._stopped.is_set():  # each turn either loads or refuses one version
            try:
                present = find_versions(config.base_path)
            except (ServingError, OSError) as problem:
                error = (
                    problem if isinstance(problem, ServingError) else ServingError(f"{config.base_path}: {problem}.")
                )
                break
            missing = self._missing(config, present, tried)
            if not missing:
                break
            try:
                self._load(config, missing[0], beside)
            except TfrecError as problem:
                error = error or problem
                tried.add(missing[0].number)
        available = self._available(config.name)
        if config.policy.kind == "specific":
            lacking = [number for number in config.policy.versions if number not in available]
            if lacking:
                raise error or self._why(config, lacking[0])
        elif not available:
            raise error or self._why(config)

    def _missing(self, config: ModelConfig, present: Sequence[Version], tried: set[int]) -> list[Version]:
        refused = set(tried)
        for version in present:
            refusal = self._refused.get((config.name, version.number))
            if refusal is not None and not refusal.is_due(version.folder, self.settings.retries):
                refused.add(version.number)
        available = self._available(config.name)
        return [one for one in wanted(config.policy, present, refused) if available.get(one.number) != one.folder]

    def _available(self, name: str) -> dict[int, Any]:
        """Folders of the available versions by number, newest first."""
        states = self.registry.states(name).items()
        return {number: state.servable.folder for number, state in states if state.servable is not None}

    def _load(self, config: ModelConfig, version: Version, beside: bool) -> None:
        key, started = (config.name, version.number), time.perf_counter()
        old = self.registry.states(config.name).get(version.number)
        if old is None or old.servable is None:  # the same number from another base path replaces what is loaded
            self.registry.set_state(config.name, version.number, VersionState(LOADING))
        files = fingerprint(version.folder)
        try:
            servable = load_warm(config.name, config.base_path, version, self.settings.loading, self._shared, beside)
        except TfrecError as error:
            tries = self._refused[key].tries + 1 if key in self._refused else 1
            again = time.monotonic() + self.settings.retry_seconds
            self._refused[key] = _Refusal(error, files, tries, again)
            logger.error("Refused version %d of %s: %s", version.number, config.name, error)
            self._metrics.load(config.name, version.number, time.perf_counter() - started, False, config.base_path)
            if old is None or old.servable is None:
                state = VersionState(END, None, _FAILED_PRECONDITION, str(error))
                self.registry.set_state(config.name, version.number, state)
            raise
        self._refused.pop(key, None)
        self._metrics.load(config.name, version.number, time.perf_counter() - started, True, config.base_path)
        self._metrics.score_reference(config.name, version.number, servable.manifest)
        self.registry.set_state(config.name, version.number, VersionState(AVAILABLE, servable))
        logger.info("Version %d of %s is available", version.number, config.name)
        if old is not None and old.servable is not None:
            self._retire(old.servable, None)

    def _unload_unwanted(self, config: ModelConfig) -> None:
        """Unloads versions that the policy does not ask for, once it has what it asks for."""
        try:
            present = find_versions(config.base_path)
        except (ServingError, OSError):
            return  # a folder that is gone for the moment takes nothing away
        available = self._available(config.name)
        refused = {number for name, number in self._refused if name == config.name}
        keep = {version.number for version in wanted(config.policy, present, refused)}
        keep.update(number for number in self.registry.labels(config.name).values() if number in available)
        if not keep & set(available):
            return
        for number in set(available) - keep:
            self._unload(config.name, number)

    def _drop_all_but(self, configs: Any) -> None:
        for name in self.registry.mentioned():
            if name not in configs:
                for number in self._available(name):
                    self._unload(name, number)
                self.registry.forget(name)

    def _unload(self, name: str, number: int) -> None:
        servable = self.registry.states(name)[number].servable
        if servable is not None:
            self.registry.set_state(name, number, VersionState(UNLOADING))
            self._metrics.forget(name, number)
            self._retire(servable, VersionState(END))

    def _retire(self, servable: Servable, then: VersionState | None) -> None:
        """Lets a version finish and unloads it, without holding anybody up."""

        def drain() -> None:
            while not servable.retire(self.settings.drain_seconds):
                logger.warning("Version %d of %s is still in use", servable.version, servable.name)
            if then is not None and servable.name in self.registry.mentioned():
                self.registry.set_state(servable.name, servable.version, then)
            logger.info("Unloaded version %d of %s", servable.version, servable.name)

        threading.Thread(target=drain, name=f"unload-{servable.name}-{servable.version}", daemon=True).start()

    def _set_labels(self, configs: Any) -> None:
        for config in configs:
            for label, number in config.labels.items():
                if number not in self._available(config.name):
                    raise StatusError(
                        grpc.StatusCode.FAILED_PRECONDITION,
                        f"Request to assign label to version {number} of model {config.name}, which is not currently "
                        f"available for inference (label {label})",
                    )
        for config in configs:
            self.registry.set_labels(config.name, config.labels)

    def _why(self, config: ModelConfig, number: int | None = None) -> TfrecError:
        """The reason that keeps a model, or one version of it, from being served."""
        for (name, version), refusal in sorted(self._refused.items(), reverse=True):
            if name == config.name and number in (None, version):
                return refusal.error
        what = "a version that its policy asks for" if number is None else f"version {number}"
        return ServingError(f"{config.base_path} holds no {what} of {config.name}: export it or change the policy.")
