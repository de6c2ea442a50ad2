"""Both ports of a server over one core: gRPC, and REST with the metrics."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.config_files import MonitoringConfig, TlsConfig
from tfrec.serving.server.configuration.traffic_file import TrafficSettings
from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.protocol.health import HealthUpdater, add_reflection
from tfrec.serving.server.protocol.model_service import ModelService
from tfrec.serving.server.protocol.operations import Operations
from tfrec.serving.server.protocol.prediction_service import PredictionService
from tfrec.serving.server.protocol.stubs import model_service_pb2_grpc, prediction_service_pb2_grpc
from tfrec.serving.server.rest.api import RestApi
from tfrec.serving.server.rest.limits import Limits
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.security.hosts import is_loopback
from tfrec.serving.server.security.tls import grpc_credentials, ssl_context
from tfrec.serving.server.security.tokens import TokenFile, TokenInterceptor

logger = logging.getLogger("tfrec.serving.server")
_WAITING = 64  # calls that may wait for a thread beyond those that have one


@dataclass(frozen=True)
class FrontendOptions:
    """What clients see of a server.

    Attributes:
        rest_port: TCP port of REST and metrics, 0 takes a free one; None opens none.
        tls: certificate and trusted authorities of both ports; None speaks plain text.
        tokens: the bearer tokens of both ports; None lets everybody in.
        monitoring: whether and where the REST port shows metrics.
        metrics: takes the counts and times; give the core the same object.
        reflection: let clients ask for the gRPC services.
        rest_limits: of the REST port.
        rest_timeout_seconds: for a REST request, as `--rest_api_timeout_in_ms`.
        channel_arguments: further settings of gRPC's server, by name.
        socket_path: a UNIX socket that gRPC listens on besides; "" for none.
        cors: let web pages of other hosts use the REST API.
        rest_hosts: names under which the REST port may be asked on loopback, besides its own.
        reload_by_anyone: let every client change the list of models, also where anyone can be one.
    """

    rest_port: int | None = None
    tls: TlsConfig | None = None
    tokens: TokenFile | None = None
    monitoring: MonitoringConfig = MonitoringConfig(enable=True)
    metrics: Metrics = field(default_factory=Metrics)
    reflection: bool = True
    rest_limits: Limits = field(default_factory=Limits)
    rest_timeout_seconds: float | None = 30.0
    channel_arguments: tuple[tuple[str, int | str], ...] = ()
    socket_path: str = ""
    cors: bool = False
    rest_hosts: tuple[str, ...] = ()
    reload_by_anyone: bool = False


class Frontends:
    """The open ports of a server.

    Attributes:
        port: the gRPC port.
        rest_port: the REST port, None when there is none.
    """

    def __init__(
        self, server: grpc.Server, port: int, health: HealthUpdater, rest: RestListener | None, operations: Operations
    ) -> None:
        self.port = port
        self.rest_port = rest.port if rest is not None else None
        self._server = server
        self._health = health
        self._rest = rest
        self._operations = operations

    def divide(self, settings: TrafficSettings) -> None:
        """Divides and mirrors requests as traffic.yaml says, from now on."""
        self._operations.traffic.follow(settings)

    def stop(self, grace_seconds: float) -> None:
        """Takes no new requests, lets the running ones finish within the grace time, and closes both ports."""
        self._health.stop()
        stopped = self._server.stop(grace_seconds)
        if self._rest is not None:
            self._rest.stop(grace_seconds)
        stopped.wait()
        self._operations.stop()


def start(core: Any, host: str, port: int, options: Any, frontend: FrontendOptions | None = None) -> Frontends:
    """Opens the ports.

    Args:
        core: has `.registry`, and `.requested(configs)` where clients may change the list of models.
        host: interface to listen on.
        port: gRPC port; 0 takes a free one.
        options: `.workers` (threads that answer gRPC calls, 0 for 66), `.max_message_bytes`, `.limits`.
        frontend: the rest.

    Raises:
        ServingError: a port is taken, or the certificate cannot be used.
    """
    frontend = frontend or FrontendOptions()
    metrics = frontend.metrics
    metrics.know_models(core.registry.names)
    reload = getattr(core, "requested", None)
    operations = Operations(core.registry, reload, metrics, "" if reload is None else _open_to(host, frontend))
    # gRPC logs a traceback for every message that is no protobuf; strangers must not be able to fill the disk.
    logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
    # Threads wait for their batch most of the time, so there are many more than cores.
    workers = options.workers or 66
    server = grpc.server(
        ThreadPoolExecutor(max_workers=workers, thread_name_prefix="grpc"),
        interceptors=[TokenInterceptor(frontend.tokens, metrics)] if frontend.tokens is not None else [],
        options=grpc_options(options.max_message_bytes, frontend.channel_arguments),
        maximum_concurrent_rpcs=workers + _WAITING,  # beyond: RESOURCE_EXHAUSTED at once
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(operations), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(operations), server)
    if frontend.reflection:
        add_reflection(server)
    rest = None
    if frontend.rest_port is not None:
        if frontend.rest_port == port != 0:
            raise ServingError(f"The REST port must be another than the gRPC port {port}: choose one of them anew.")
        api = RestApi(operations, frontend.monitoring, frontend.rest_timeout_seconds, frontend.cors, options.limits)
        context = ssl_context(frontend.tls) if frontend.tls is not None else None
        rest = RestListener(api, frontend.tokens, context, metrics, frontend.rest_limits, frontend.rest_hosts)
    try:
        bound = _bind(server, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", frontend.tls)
        if frontend.socket_path:
            _bind(server, f"unix:{frontend.socket_path}", frontend.tls)
        if rest is not None:
            rest.start(host, frontend.rest_port or 0)
        health = HealthUpdater(server, core.registry)
        server.start()
    except BaseException:
        server.stop(0)  # gives the port back
        if rest is not None:
            rest.stop(0)
        raise
    logger.info("Serving gRPC at %s port %d, REST at %s", host, bound, rest.port if rest is not None else "no port")
    return Frontends(server, bound, health, rest, operations)


def _open_to(host: str, frontend: FrontendOptions) -> str:
    """Why reloads are refused; "" where clients are known: by tokens, by certificates, or as those of this machine."""
    known = frontend.tokens is not None or (frontend.tls is not None and frontend.tls.client_authorities)
    if known or is_loopback(host):
        return ""
    if frontend.reload_by_anyone:
        logger.warning("ANYONE WHO REACHES %s CAN CHANGE THE MODELS: no tokens, no client certificates", host)
        return ""
    return (
        "Reloads are refused, because anyone who reaches this server could ask for them: start it with tokens "
        "(--token_file) or client certificates, on loopback, or with --reload_by_anyone"
    )


def grpc_options(max_message_bytes: int, further: tuple[tuple[str, int | str], ...] = ()) -> list[tuple[str, Any]]:
    """gRPC's settings: no sharing of the port, bounded messages and headers, no pings without need."""
    return [
        ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_metadata_size", 16 << 10),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        *further,
    ]


def _bind(server: grpc.Server, address: str, tls: TlsConfig | None) -> int:
    credentials = grpc_credentials(tls) if tls is not None else None
    try:
        bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if bound == 0:
        host, _, port = address.rpartition(":")
        what = "The socket" if host == "unix" else f"The port {port} on {host.strip('[]')}"
        raise ServingError(
            f"{what} cannot be opened (it is in use): stop the other server or choose another with --port."
        )
    return bound
