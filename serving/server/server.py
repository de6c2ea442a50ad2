"""The server: loads a model, warms it, opens the port, and ends without cutting off running requests."""

from __future__ import annotations

import errno
import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import grpc

from serving.server.loader import Verify, find_versions, load, set_threads, verify_export
from serving.server.model_service import ModelService
from serving.server.prediction_service import PredictionService
from serving.server.registry import AVAILABLE, LOADING, Registry, VersionState
from serving.server.stubs import model_service_pb2_grpc, prediction_service_pb2_grpc
from serving.server.warmup import warm_up
from tfrec.errors import ServingError

logger = logging.getLogger("serving.server")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class ServerOptions:
    """Settings that seldom change.

    Attributes:
        workers: requests handled at once; 0 takes twice the cores and two for status requests.
        intra_op: threads inside one TensorFlow op; 0 takes one per core.
        inter_op: TensorFlow ops run at once; 0 takes one per core.
        max_message_bytes: largest request or answer; a larger one ends as RESOURCE_EXHAUSTED.
        grace_seconds: time that running requests have to finish when the server stops.
        warm_up: replay the export's warm-up records before the port opens.
        verify: check of a version folder before it is loaded.
    """

    workers: int = 0
    intra_op: int = 0
    inter_op: int = 0
    max_message_bytes: int = 64 << 20
    grace_seconds: float = 10.0
    warm_up: bool = True
    verify: Verify = verify_export


class ModelServer:
    """A gRPC server for the newest version of one model. Also a context manager.

    Args:
        base_path: folder with one folder per version.
        model_name: name that requests give.
        host: interface to listen on.
        port: TCP port; 0 takes a free one.
        options: the rest.
    """

    def __init__(
        self,
        base_path: Path | str,
        model_name: str = "tfrec",
        host: str = "127.0.0.1",
        port: int = 8500,
        options: ServerOptions | None = None,
    ) -> None:
        self.base_path = Path(base_path)
        self.model_name = model_name
        self.host = host
        self.port = port
        self.options = options or ServerOptions()
        self.registry = Registry()
        self._server: grpc.Server | None = None

    @property
    def address(self) -> str:
        """The target for a client, "host:port"; known once the server has started."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def start(self) -> str:
        """Loads and warms the model, then opens the port.

        Returns:
            The address.

        Raises:
            TfrecError: the port is taken, the export is missing, tampered with or cannot be loaded.
        """
        check_port(self.host, self.port)  # before the long load
        version = find_versions(self.base_path)[0]
        cores = usable_cores()
        set_threads(self.options.intra_op or cores, self.options.inter_op or cores)
        self.registry.set_state(self.model_name, version.number, VersionState(LOADING))
        servable = load(self.model_name, version, self.options.verify)
        if self.options.warm_up:
            warm_up(servable)
        self.registry.set_state(self.model_name, version.number, VersionState(AVAILABLE, servable))
        self._server = self._open(self.options.workers or 2 * cores + 2)
        logger.info("Serving %s version %d at %s", self.model_name, version.number, self.address)
        return self.address

    def _open(self, workers: int) -> grpc.Server:
        server = grpc.server(
            ThreadPoolExecutor(max_workers=workers, thread_name_prefix="serving"),
            options=[
                ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
                ("grpc.max_receive_message_length", self.options.max_message_bytes),
                ("grpc.max_send_message_length", self.options.max_message_bytes),
            ],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(self.registry), server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(self.registry), server)
        try:
            bound = server.add_insecure_port(self.address)
        except RuntimeError:
            bound = 0
        if bound == 0:
            raise _port_error(self.host, self.port, "it is in use")
        self.port = bound
        server.start()
        return server

    def stop(self, grace_seconds: float | None = None) -> None:
        """Takes no new requests, waits for the running ones up to the grace time, and closes the port."""
        if self._server is not None:
            self._server.stop(self.options.grace_seconds if grace_seconds is None else grace_seconds).wait()
            self._server = None

    def __enter__(self) -> ModelServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def check_port(host: str, port: int) -> None:
    """Tries whether a server may listen there.

    Raises:
        ServingError: the port is taken or forbidden, or the host is not an interface of this machine.
    """
    if not 0 <= port < 1 << 16:
        raise ServingError(f"The port must be from 0 to 65535, not {port}: choose another with --port.")
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
        raise _port_error(host, port, reason) from error


def _port_error(host: str, port: int, reason: str) -> ServingError:
    return ServingError(
        f"The port {port} on {host} cannot be opened ({reason}): stop the other server or choose another with --port."
    )
