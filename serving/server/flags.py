"""The flags of the server as a program, named as tensorflow_model_server names them where it has them.

Nothing here imports TensorFlow: its thread pools are fixed by the environment before that import.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from tfrec.errors import ServingError
from tfrec.serving.server.numbers import MOST_BYTES, MOST_SECONDS, MOST_THREADS

# Flags of TF Serving that have no meaning here; given, they are named in the log and have no effect.
_WITHOUT_EFFECT = (
    "flush_filesystem_caches", "num_load_threads", "num_unload_threads", "per_process_gpu_memory_fraction",
    "rest_api_num_threads", "num_request_iterations_for_warmup", "enable_signature_method_name_check",
    "remove_unused_fields_from_bundle_metagraph", "enable_grpc_healthcheck_service", "enforce_session_run_timeout",
    "enable_profiler", "xla_cpu_compilation_enabled", "prefer_tflite_model", "use_tflite_model",
    "num_tflite_interpreters_per_pool", "num_tflite_pools", "allow_version_labels_for_unavailable_models",
    "force_allow_any_version_labels_for_unavailable_models", "skip_initialize_tpu", "tensorflow_session_config_file",
)  # fmt: skip

_POSITIVE, _THREADS = (1, MOST_BYTES), (0, MOST_THREADS)


class _Parser(argparse.ArgumentParser):
    """Ends with one sentence instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise ServingError(f"{message}: see `{self.prog} --help`.")


def _switch(text: str) -> bool:
    if text.lower() in ("true", "1", "yes"):
        return True
    if text.lower() in ("false", "0", "no"):
        return False
    raise argparse.ArgumentTypeError(f"true or false, not {text!r}")


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Reads whole numbers within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch("-?[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return read


def _time(least: float, most: float = MOST_SECONDS) -> Callable[[str], float]:
    """Reads seconds within bounds; what is not a number, or not finite, is outside."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"seconds from {least:g} to {most:g}, not {text!r}")
        return value

    return read


def _arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    """gRPC channel arguments "name=value,name=value"; whole numbers are numbers."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not sign or not name for name, sign, _ in pairs):
        raise argparse.ArgumentTypeError(f"name=value,name=value, not {text!r}")
    return tuple((name, _argument(value)) for name, _, value in pairs)


def _argument(value: str) -> int | str:
    if not re.fullmatch("-?[0-9]+", value):
        return value
    if len(value) > 11 or not -(2**31) <= int(value) < 2**31:
        raise argparse.ArgumentTypeError(f"numbers of 32 bits, not {value[:40]!r}")
    return int(value)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all flags. Its own errors are raised as ServingError."""
    parser = _Parser(
        prog="python -m tfrec.serving.server",
        description="Serves SavedModels with TF Serving's gRPC and REST protocols.",
        allow_abbrev=False,
    )  # fmt: skip

    def add(name: str, help: str, **settings: Any) -> None:
        if settings.get("type") is _switch:
            settings = {"nargs": "?", "const": True, "metavar": "true|false", **settings}
        group.add_argument(f"--{name}", help=help, **settings)

    group = parser.add_argument_group("models")
    add("model_base_path", "folder with one folder per version", default="")
    add("model_name", "name that requests give", default="default")
    add("model_config_file", "several models, version policies and labels: a ModelServerConfig in text format")
    add("model_config_file_poll_wait_seconds", "look for changes of that file, 0 never", type=_time(0), default=0.0)
    add(
        "file_system_poll_wait_seconds",
        "look for new versions; 0 or less never",
        type=_time(-MOST_SECONDS),
        default=1.0,
    )
    add("max_num_load_retries", "further tries to load a version", type=_whole(0, MOST_BYTES), default=5)
    most = MOST_SECONDS * 1_000_000
    add("load_retry_interval_micros", "between two tries", type=_whole(0, most), default=60_000_000)
    add("traffic_config_file", "shares of a canary and of a shadow (traffic.yaml), followed without a restart")
    more = "a folder, besides the base paths, from which a client's reload may bring models; may be repeated"
    add("reload_base_path", more, action="append", default=[])
    add("enable_model_warmup", "replay warm-up records before a version answers", type=_switch, default=True)
    add("saved_model_tags", "only serve is understood", default="serve", choices=["serve"])

    group = parser.add_argument_group("ports")
    add("host", "interface to listen on", default="127.0.0.1")
    add("port", "gRPC port, 0 takes a free one", type=_whole(0, 65_535), default=8500)
    add("grpc_socket_path", "UNIX socket for gRPC besides", default="")
    add("rest_api_port", "REST port, 0 opens none, -1 takes a free one", type=_whole(-1, 65_535), default=0)
    add("rest_api_timeout_in_ms", "for one REST request", type=_whole(1, 1000 * MOST_SECONDS), default=30_000)
    add("rest_api_enable_cors_support", "let web pages of other hosts ask", type=_switch, default=False)
    add("rest_allowed_hosts", "names,names under which REST may be asked on loopback besides its own", default="")
    add("reload_by_anyone", "let clients reload without tokens or certificates on any interface", type=_switch,
        default=False)  # fmt: skip
    add("ssl_config_file", "TLS for both ports: an SSLConfig in text format")
    add("token_file", "bearer tokens for both ports, one on each line")
    add("monitoring_config_file", "where metrics are: a MonitoringConfig in text format; without it they are on")

    group = parser.add_argument_group("speed")
    add("enable_batching", "let requests share a batch", type=_switch, default=True)
    add("batching_parameters_file", "BatchingParameters in text format")
    add("tensorflow_session_parallelism", "sets both of the next", type=_whole(*_THREADS), default=0)
    add("tensorflow_intra_op_parallelism", "threads inside one op, 0 takes one", type=_whole(*_THREADS), default=0)
    add(
        "tensorflow_inter_op_parallelism",
        "batches that run at once, 0 takes one per core",
        type=_whole(*_THREADS),
        default=0,
    )
    add("grpc_max_threads", "threads that answer gRPC calls, 0 sizes it", type=_whole(0, 4096), default=0)
    add("load_niceness", "how much a load gives way to requests, 0 to 19", type=int, default=5, choices=range(20),
        metavar="0-19")  # fmt: skip
    add("runtime", "how models run", choices=["auto", "session", "python"], default="auto")

    group = parser.add_argument_group("limits")
    add("grpc_channel_arguments", "name=value,name=value for gRPC's server", type=_arguments, default=())
    add("max_message_bytes", "largest gRPC request or answer", type=_whole(*_POSITIVE), default=64 << 20)
    add("rest_max_body_bytes", "largest REST request", type=_whole(*_POSITIVE), default=16 << 20)
    add("max_rows", "rows of a request", type=_whole(*_POSITIVE))
    add("max_text_bytes", "bytes of one text", type=_whole(*_POSITIVE))
    add("max_k", "items asked for", type=_whole(*_POSITIVE))
    add("max_concurrency", "predictions at once; further ones are RESOURCE_EXHAUSTED", type=_whole(*_POSITIVE))
    add("max_seconds", "for one prediction, whatever its deadline", type=_time(1e-3))
    add("grace_seconds", "time for running requests to finish on SIGTERM", type=_time(0), default=10.0)

    group = parser.add_argument_group("logs")
    add("log_format", "lines of text or of JSON", choices=["text", "json"], default="text")
    add("request_log", "a line for each prediction", choices=["off", "basic", "hashed"], default="off")

    for name in _WITHOUT_EFFECT:
        parser.add_argument(f"--{name}", nargs="?", const="true", help=argparse.SUPPRESS)
    return parser


def parse_flags(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line and checks what flags say of each other.

    Raises:
        ServingError: a flag is unknown, has no such value, or contradicts another.
    """
    flags = build_parser().parse_args(arguments)
    if not flags.model_base_path and not flags.model_config_file:
        raise ServingError("There is nothing to serve: give --model_base_path or --model_config_file.")
    if flags.batching_parameters_file and not flags.enable_batching:
        raise ServingError("--batching_parameters_file is set while --enable_batching is false: drop one of them.")
    single = flags.tensorflow_session_parallelism
    if single and (flags.tensorflow_intra_op_parallelism or flags.tensorflow_inter_op_parallelism):
        raise ServingError(
            "Either give --tensorflow_session_parallelism, or --tensorflow_intra_op_parallelism and "
            "--tensorflow_inter_op_parallelism, but not all."
        )
    if single:
        flags.tensorflow_intra_op_parallelism = flags.tensorflow_inter_op_parallelism = single
    if flags.rest_api_port == flags.port != 0:
        raise ServingError("--rest_api_port cannot be same as --port: use a different port for REST.")
    return flags


def without_effect(flags: argparse.Namespace) -> list[str]:
    """The given flags that mean nothing here."""
    return [name for name in _WITHOUT_EFFECT if getattr(flags, name) is not None]
