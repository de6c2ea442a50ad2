"""Running the server in the foreground, from Python or with TF Serving's flags."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfrec.errors import TfrecError
from tfrec.output import replaceable_output
from tfrec.serving.server.configuration.config_watch import ConfigWatch, content_of
from tfrec.serving.server.configuration.model_config import ModelConfig, read_model_config_file
from tfrec.serving.server.configuration.traffic_file import follow_traffic, read_traffic
from tfrec.serving.server.flags import parse_flags, without_effect

if TYPE_CHECKING:
    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.server import ModelServer, ServerOptions

logger = logging.getLogger("tfrec.serving.server")


def serve(
    export_dir: Path | str,
    model_name: str = "tfrec",
    host: str = "127.0.0.1",
    port: int = 8500,
    ready: Callable[[str], None] | None = None,
    options: ServerOptions | None = None,
    configs: Sequence[ModelConfig] = (),
    frontend: FrontendOptions | None = None,
    beside: Callable[[ModelServer], Any] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; running requests are then finished.

    Args:
        export_dir: folder with one folder per version.
        model_name: name that requests give.
        host: interface to listen on.
        port: TCP port; 0 takes a free one.
        ready: called with the address ("host:port") once requests are answered.
        options: thread counts, limits, grace time.
        configs: several models instead of the one in `export_dir`.
        frontend: REST, TLS, tokens, metrics.
        beside: given the running server, returns a context manager that is held while it runs.

    Raises:
        TfrecError: a port is taken, an export is missing, tampered with or cannot be loaded.
    """
    from tfrec.serving.server.server import ModelServer

    server = ModelServer(export_dir, model_name, host, port, options, configs, frontend)
    with ExitStack() as stack:
        stack.enter_context(server)
        stopped = stack.enter_context(_stop_signals())
        if beside is not None:
            stack.enter_context(beside(server))
        if ready is not None:
            ready(server.address)
        stopped.wait()


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set. Outside the main thread Python allows no handlers and nothing sets it."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def server_options(flags: argparse.Namespace) -> ServerOptions:
    """What the flags say of models, speed and limits.

    Raises:
        ServingError: the batching file cannot be used.
    """
    from tfrec.serving.server.configuration.config_files import BatchingParameters, read_batching_parameters
    from tfrec.serving.server.metrics.request_log import RequestLog
    from tfrec.serving.server.security.limits import Limits
    from tfrec.serving.server.server import ServerOptions

    given = {
        "rows": flags.max_rows, "text_bytes": flags.max_text_bytes, "k": flags.max_k,
        "concurrency": flags.max_concurrency, "seconds": flags.max_seconds,
    }  # fmt: skip
    file = flags.batching_parameters_file
    return ServerOptions(
        workers=flags.grpc_max_threads,
        intra_op=flags.tensorflow_intra_op_parallelism,
        inter_op=flags.tensorflow_inter_op_parallelism,
        max_message_bytes=flags.max_message_bytes,
        grace_seconds=flags.grace_seconds,
        warm_up=flags.enable_model_warmup,
        enable_batching=flags.enable_batching,
        batching=read_batching_parameters(file) if file else BatchingParameters(),
        limits=Limits(**{name: value for name, value in given.items() if value is not None}),
        poll_seconds=flags.file_system_poll_wait_seconds,
        load_niceness=flags.load_niceness,
        retry_seconds=flags.load_retry_interval_micros / 1e6,
        retries=flags.max_num_load_retries,
        reload_paths=tuple(flags.reload_base_path),
        runtime=flags.runtime,
        request_log=RequestLog(flags.request_log),
    )


def frontend_options(flags: argparse.Namespace) -> FrontendOptions:
    """What the flags say of the ports.

    Raises:
        ServingError: the TLS, token or monitoring file cannot be used.
    """
    from tfrec.serving.server.configuration.config_files import (
        MonitoringConfig,
        read_monitoring_config,
        read_tls_config,
    )
    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.rest.limits import Limits
    from tfrec.serving.server.security.tokens import TokenFile

    monitoring = flags.monitoring_config_file
    return FrontendOptions(
        rest_port=None if flags.rest_api_port == 0 else max(flags.rest_api_port, 0),
        tls=read_tls_config(flags.ssl_config_file) if flags.ssl_config_file else None,
        tokens=TokenFile(flags.token_file) if flags.token_file else None,
        monitoring=read_monitoring_config(monitoring) if monitoring else MonitoringConfig(enable=True),
        rest_limits=Limits(body_bytes=flags.rest_max_body_bytes, total_body_bytes=8 * flags.rest_max_body_bytes),
        rest_timeout_seconds=flags.rest_api_timeout_in_ms / 1000,
        channel_arguments=flags.grpc_channel_arguments,
        socket_path=flags.grpc_socket_path,
        cors=flags.rest_api_enable_cors_support,
        rest_hosts=tuple(name.strip() for name in flags.rest_allowed_hosts.split(",") if name.strip()),
        reload_by_anyone=flags.reload_by_anyone,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server as a program.

    Returns:
        The exit code: 0 after SIGTERM or SIGINT, 2 when it could not start (one sentence on standard error).
    """
    replaceable_output()
    try:
        flags = parse_flags(None if arguments is None else list(arguments))
        _log(flags)
        if flags.traffic_config_file:
            read_traffic(flags.traffic_config_file)  # a mistake ends it before anything is loaded
        seen = content_of(flags.model_config_file) if flags.model_config_file else ""
        configs = read_model_config_file(flags.model_config_file) if flags.model_config_file else ()
        # Before anything imports TensorFlow, which then fixes its threads.
        from tfrec.serving.server.sessions.threads import limit_tensorflow_threads

        limit_tensorflow_threads(max(flags.tensorflow_intra_op_parallelism, 1))
        serve(
            flags.model_base_path, flags.model_name, flags.host, flags.port,
            options=server_options(flags), configs=configs, frontend=frontend_options(flags),
            beside=lambda server: _beside(server, flags, seen),
        )  # fmt: skip
    except TfrecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _log(flags: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if flags.log_format == "json":
        from tfrec.serving.server.metrics.request_log import JsonFormatter

        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())
    for name in without_effect(flags):
        logger.info("The flag --%s has no effect here", name)


@contextmanager
def _beside(server: ModelServer, flags: argparse.Namespace, seen: str) -> Iterator[None]:
    """Says that the ports are open, and looks after the model config file (`seen`: its content when it was read)."""
    print(f"Running gRPC ModelServer at {server.address} ...", flush=True)
    if server.rest_port is not None:
        host = f"[{server.host}]" if ":" in server.host else server.host
        print(f"Exporting HTTP/REST API at:{host}:{server.rest_port} ...", flush=True)
    with ExitStack() as stack:
        if flags.model_config_file and flags.model_config_file_poll_wait_seconds > 0:
            every = flags.model_config_file_poll_wait_seconds
            stack.enter_context(ConfigWatch(flags.model_config_file, server.core.reload, every, seen))
        if flags.traffic_config_file:
            stack.enter_context(follow_traffic(flags.traffic_config_file, server.divide))
        yield
