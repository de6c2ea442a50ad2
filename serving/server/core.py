"""The core of the server, without any port: models, their versions, and the watch over their folders.

A new version is loaded and warmed beside the old one, which answers until then; requests go over at once, the old
version finishes what it has begun and is unloaded. What cannot be loaded is refused with its reason in the status.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import grpc

from tfrec.errors import ServingError, TfrecError
from tfrec.serving.server.configuration.model_config import ModelConfig
from tfrec.serving.server.metrics.counters import NULL
from tfrec.serving.server.status import StatusError
from tfrec.serving.server.versions.core_settings import CoreSettings
from tfrec.serving.server.versions.folders import is_below
from tfrec.serving.server.versions.registry import Registry
from tfrec.serving.server.versions.version_manager import VersionManager

logger = logging.getLogger("tfrec.serving.server")
_RELOADS_WAITING = 4  # further ones are refused: each holds a thread that answers requests


class ServingCore:
    """Serves models from their folders.

    Attributes:
        registry: the versions, for those who answer requests.

    Args:
        configs: the models.
        settings: the rest.
        metrics: told about loads, states, queues and batches (see tfrec.serving.server.metrics.counters).
    """

    def __init__(
        self, configs: Sequence[ModelConfig], settings: CoreSettings | None = None, metrics: Any = NULL
    ) -> None:
        self.settings = settings or CoreSettings()
        self.registry = Registry(metrics)
        self._configs = {config.name: config for config in configs}
        self._roots = {*self.settings.reload_paths, *(config.base_path for config in configs)}
        self._change = threading.RLock()  # one load or unload at a time: memory for two versions is enough
        self._reloads = threading.BoundedSemaphore(_RELOADS_WAITING)
        self._stopped = threading.Event()
        self._versions = VersionManager(self.registry, self.settings, metrics, self._stopped)

    def start(self) -> None:
        """Loads every model and starts the watch.

        Raises:
            TfrecError: a model has no version that can be loaded; the reason of the newest is told.
        """
        with self._change:
            for config in self._configs.values():
                self._versions.bring(config, beside=False)
            try:
                self._set_labels(self._configs.values())
            except StatusError as error:
                raise ServingError(f"{error.message}: correct version_labels.") from error
        if self.settings.poll_seconds > 0:
            threading.Thread(target=self._watch, name="watch-versions", daemon=True).start()

    def reload(self, configs: Sequence[ModelConfig]) -> None:
        """Replaces the list of models and waits until it is served: new ones are loaded, missing ones unloaded.

        Args:
            configs: from whoever may say where models come from; `requested` is for everybody else.

        Raises:
            StatusError: a model cannot be served or a label names no available version; all stays as it was, but for
                models that are loaded by then.
        """
        after = {config.name: config for config in configs}
        with self._change:
            try:
                for config in after.values():
                    self._versions.bring(config, beside=True)
                self._set_labels(after.values())
            except TfrecError as error:
                self._versions.drop_all_but(self._configs)
                raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from error
            except StatusError:
                self._versions.drop_all_but(self._configs)
                raise
            self._configs = after
            self._roots.update(config.base_path for config in configs)
            for config in after.values():
                self._versions.unload_unwanted(config)
            self._versions.drop_all_but(after)
        logger.info("Serving %s after a reload", ", ".join(after) or "nothing")

    def requested(self, configs: Sequence[ModelConfig]) -> None:
        """As `reload`, for a client: models are code, so they may only come from folders that the server was given.

        Raises:
            StatusError: as `reload`; PERMISSION_DENIED for another folder, RESOURCE_EXHAUSTED for too many at once.
        """
        for config in configs:
            if not self._may_load_from(config.base_path):
                raise StatusError(
                    grpc.StatusCode.PERMISSION_DENIED,
                    f"Model {config.name} has a base_path outside the folders that this server may load from: start it "
                    "with --reload_base_path or change its own model_config_file",
                )
        if not self._reloads.acquire(blocking=False):
            raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Other reloads are going on: try again later")
        try:
            self.reload(configs)
        finally:
            self._reloads.release()

    def _may_load_from(self, base_path: str) -> bool:
        try:
            return any(is_below(Path(base_path), Path(root)) for root in list(self._roots))
        except (ValueError, OSError):  # no path at all
            return False

    def look(self) -> None:
        """Looks once at every base path, loads what is new and unloads what is not wanted any more."""
        with self._change:
            for config in self._configs.values():
                if self._stopped.is_set():
                    return
                try:
                    self._versions.bring(config, beside=True)
                except TfrecError as error:  # nothing can be loaded now; what is loaded serves on
                    logger.debug("%s: %s", config.name, error)
                self._versions.unload_unwanted(config)

    def halt(self) -> None:
        """Ends the watch and gives up a load that is going on; what is loaded serves on."""
        self._stopped.set()

    def stop(self, seconds: float = 0.1) -> None:
        """Ends the watch and unloads everything that nobody uses any more.

        Args:
            seconds: how long that may take; what is still loading or in use then is left alone.
        """
        self.halt()
        until = time.monotonic() + seconds
        if not self._change.acquire(timeout=seconds):
            return
        try:
            self._configs = {}
            self._versions.unload_all()
        finally:
            self._change.release()
        self._versions.wait(until - time.monotonic())

    def _watch(self) -> None:
        while not self._stopped.wait(self.settings.poll_seconds):
            try:
                self.look()
            except Exception as error:  # the watch outlives whatever a file system does
                logger.error("Looking for versions failed: %s: %s", type(error).__name__, error)

    def _set_labels(self, configs: Iterable[ModelConfig]) -> None:
        for config in configs:
            for label, number in config.labels.items():
                if number not in self._versions.available(config.name):
                    raise StatusError(
                        grpc.StatusCode.FAILED_PRECONDITION,
                        f"Request to assign label to version {number} of model {config.name}, which is not currently "
                        f"available for inference (label {label})",
                    )
        for config in configs:
            self.registry.set_labels(config.name, config.labels)
