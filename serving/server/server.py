"""The server: loads its models, opens the ports, and ends without cutting off running requests."""

from __future__ import annotations

import errno
import gc
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from tfrec.errors import ServingError
from tfrec.serving.server import frontends
from tfrec.serving.server.configuration.config_files import BatchingParameters
from tfrec.serving.server.configuration.model_config import ModelConfig, check_models
from tfrec.serving.server.configuration.traffic_file import TrafficSettings
from tfrec.serving.server.core import ServingCore
from tfrec.serving.server.frontends import FrontendOptions, Frontends
from tfrec.serving.server.metrics.request_log import RequestLog
from tfrec.serving.server.numbers import MOST_BYTES, MOST_SECONDS, MOST_THREADS, seconds, whole
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.sessions.batcher import BatchSettings
from tfrec.serving.server.sessions.runtime import Kind
from tfrec.serving.server.sessions.threads import usable_cores
from tfrec.serving.server.status import StatusError
from tfrec.serving.server.versions.core_settings import CoreSettings
from tfrec.serving.server.versions.loader import LoadSettings, Verify, verify_export
from tfrec.serving.server.versions.registry import Registry

logger = logging.getLogger("tfrec.serving.server")
_UNLOAD_SECONDS = 3.0  # at the end: for loads that are given up, and for unloading
_SPARE_THREADS = 16  # for status, health and refusals while every place for a prediction is taken


@dataclass(frozen=True)
class ServerOptions:
    """Settings that seldom change.

    Attributes:
        workers: threads that answer gRPC calls; 0 takes as many as predictions are let in, and some more.
        intra_op: threads inside one TensorFlow op; 0 takes one. See tfrec.serving.server.sessions.threads: it counts
            only when it is set before TensorFlow's first op.
        inter_op: batches that run at once; 0 takes one per core.
        max_message_bytes: largest request or answer; a larger one ends as RESOURCE_EXHAUSTED.
        grace_seconds: time that running requests have to finish when the server stops.
        warm_up: replay the export's warm-up records and run every batch size before a version is available.
        verify: check of a version folder before it is loaded.
        enable_batching: whether requests may share a batch.
        batching: what TF Serving's batching file says.
        limits: on each prediction.
        poll_seconds: between two looks for new versions; 0 or less never looks again.
        load_niceness: how much a load beside running requests gives way to them, 0 to 19.
        retry_seconds: after which a version that could not be loaded is tried again.
        retries: how often.
        reload_paths: folders, besides the models' own base paths, from which a reload request may bring models.
        runtime: see tfrec.serving.server.sessions.runtime.
        request_log: of predictions; silent unless asked for.
    """

    workers: int = 0
    intra_op: int = 0
    inter_op: int = 0
    max_message_bytes: int = 64 << 20
    grace_seconds: float = 10.0
    warm_up: bool = True
    verify: Verify = verify_export
    enable_batching: bool = True
    batching: BatchingParameters = BatchingParameters()
    limits: Limits = Limits()
    poll_seconds: float = 1.0
    load_niceness: int = 5
    retry_seconds: float = 60.0
    retries: int = 5
    reload_paths: tuple[str, ...] = ()
    runtime: Kind = "auto"
    request_log: RequestLog = field(default_factory=RequestLog)

    def __post_init__(self) -> None:
        for name, least, most in (
            ("workers", 0, 4096), ("intra_op", 0, MOST_THREADS), ("inter_op", 0, MOST_THREADS),
            ("max_message_bytes", 1, MOST_BYTES), ("load_niceness", 0, 19), ("retries", 0, MOST_BYTES),
        ):  # fmt: skip
            whole(name, getattr(self, name), least, most)
        seconds("grace_seconds", self.grace_seconds)
        seconds("poll_seconds", self.poll_seconds, -MOST_SECONDS)
        seconds("retry_seconds", self.retry_seconds)

    def core_settings(self) -> CoreSettings:
        """The settings of the core."""
        loading = LoadSettings(
            self.verify, self.warm_up, self.runtime, max(self.intra_op, 1), self.load_niceness, usable_cores()
        )
        return CoreSettings(
            self._batch_settings(), self.limits, loading, self.request_log, self.poll_seconds, self.retry_seconds,
            self.retries, reload_paths=self.reload_paths,
        )  # fmt: skip

    def _batch_settings(self) -> BatchSettings:
        given, usual = self.batching, BatchSettings()
        workers = given.num_batch_threads or self.inter_op or usable_cores()
        if not self.enable_batching:
            most = self.limits.concurrency * usual.max_rows  # the limit on requests is the only one
            return replace(usual, workers=workers, share=False, max_queued_rows=most)
        sizes = given.allowed_batch_sizes
        most = given.max_batch_size or (sizes[-1] if sizes else usual.max_rows)
        queued = usual.max_queued_rows if given.max_enqueued_batches is None else given.max_enqueued_batches * most
        wait = (given.batch_timeout_micros or 0) / 1e6
        return BatchSettings(workers, most, sizes, wait, max(queued, most), given.pad_variable_length_inputs)


class ModelServer:
    """A server for one model or several. Also a context manager.

    Attributes:
        core: the models.
        port: the gRPC port; known once the server has started.
        rest_port: the REST port, None without one.

    Args:
        base_path: folder with one folder per version; "" when `configs` are given.
        model_name: name that requests give.
        host: interface to listen on.
        port: TCP port of gRPC; 0 takes a free one.
        options: the rest.
        configs: several models, or other version policies; they replace base_path and model_name.
        frontend: REST, TLS, tokens, metrics.
    """

    def __init__(
        self,
        base_path: Path | str = "",
        model_name: str = "tfrec",
        host: str = "127.0.0.1",
        port: int = 8500,
        options: ServerOptions | None = None,
        configs: Sequence[ModelConfig] = (),
        frontend: FrontendOptions | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.rest_port: int | None = None
        self.options = options or ServerOptions()
        self.frontend = frontend or FrontendOptions()
        models = tuple(configs) or (ModelConfig(model_name, str(base_path)),)
        try:
            check_models(models)
        except StatusError as error:
            raise ServingError(f"{error.message}: correct it.") from None
        self.core = ServingCore(models, self.options.core_settings(), self.frontend.metrics)
        self._frontends: Frontends | None = None

    @property
    def registry(self) -> Registry:
        """The versions."""
        return self.core.registry

    @property
    def address(self) -> str:
        """The target for a gRPC client, "host:port"; known once the server has started."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def start(self) -> str:
        """Loads and warms the models, then opens the ports.

        Returns:
            The address.

        Raises:
            TfrecError: a port is taken, an export is missing, tampered with or cannot be loaded.
        """
        check_port(self.host, self.port)  # before the long load
        if self.frontend.rest_port is not None:
            check_port(self.host, self.frontend.rest_port, "--rest_api_port")
        workers = self.options.workers or self.options.limits.concurrency + _SPARE_THREADS
        options = replace(self.options, workers=workers)
        try:
            self.core.start()
            self._frontends = frontends.start(self.core, self.host, self.port, options, self.frontend)
        except BaseException:
            self.core.stop()
            raise
        self.port, self.rest_port = self._frontends.port, self._frontends.rest_port
        # What is there now stays: the collector need not walk over TensorFlow's objects while requests wait.
        gc.collect()
        gc.freeze()
        return self.address

    def divide(self, settings: TrafficSettings) -> None:
        """Divides requests between versions, and mirrors them, from now on; nothing while the server does not run.

        Args:
            settings: what traffic.yaml says.
        """
        if self._frontends is not None:
            self._frontends.divide(settings)

    def stop(self, grace_seconds: float | None = None) -> None:
        """Takes no new requests, waits for the running ones up to the grace time, and closes the ports.

        A load that is going on is given up.
        """
        if self._frontends is not None:
            self.core.halt()
            self._frontends.stop(self.options.grace_seconds if grace_seconds is None else grace_seconds)
            self._frontends = None
            self.core.stop(_UNLOAD_SECONDS)
            gc.unfreeze()

    def __enter__(self) -> ModelServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def check_port(host: str, port: int, flag: str = "--port") -> None:
    """Tries whether a server may listen there.

    Raises:
        ServingError: the port is taken or forbidden, or the host is not an interface of this machine.
    """
    if not 0 <= port < 1 << 16:
        raise ServingError(f"The port must be from 0 to 65535, not {port}: choose another with {flag}.")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except socket.gaierror as error:
        raise ServingError(f"The host {host!r} is not known: give an address of this machine with --host.") from error
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise ServingError(
            f"The port {port} on {host} cannot be opened ({reason}): stop the other server or choose another with "
            f"{flag}."
        ) from error
