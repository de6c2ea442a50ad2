"""Running the server in the foreground, from Python or with TF Serving's flags."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from serving.server.server import ModelServer, ServerOptions
from tfrec.errors import TfrecError


def serve(
    export_dir: Path | str,
    model_name: str = "tfrec",
    host: str = "127.0.0.1",
    port: int = 8500,
    ready: Callable[[str], None] | None = None,
    options: ServerOptions | None = None,
) -> None:
    """Serves the newest version below a folder until SIGTERM or SIGINT; running requests are then finished.

    Args:
        export_dir: folder with one folder per version.
        model_name: name that requests give.
        host: interface to listen on.
        port: TCP port; 0 takes a free one.
        ready: called with the address ("host:port") once requests are answered.
        options: thread counts, limits, grace time.

    Raises:
        TfrecError: the port is taken, the export is missing, tampered with or cannot be loaded.
    """
    with ModelServer(export_dir, model_name, host, port, options) as server, _stop_signals() as stopped:
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


def _switch(text: str) -> bool:
    if text.lower() in ("true", "1", "yes"):
        return True
    if text.lower() in ("false", "0", "no"):
        return False
    raise argparse.ArgumentTypeError(f"true or false, not {text!r}")


def build_parser() -> argparse.ArgumentParser:
    """The flags, named as tensorflow_model_server names them where it has them."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.server", description="Serves a SavedModel with TF Serving's gRPC protocol."
    )
    add = parser.add_argument
    add("--model_base_path", required=True, help="folder with one folder per version")
    add("--model_name", default="default", help="name that requests give")
    add("--port", type=int, default=8500, help="gRPC port, 0 takes a free one")
    add("--host", default="127.0.0.1", help="interface to listen on")
    add("--grpc_max_threads", type=int, default=0, help="requests handled at once, 0 sizes it by the cores")
    add("--tensorflow_intra_op_parallelism", type=int, default=0, help="threads inside one op, 0 takes one per core")
    add("--tensorflow_inter_op_parallelism", type=int, default=0, help="ops run at once, 0 takes one per core")
    add("--enable_model_warmup", type=_switch, default=True, help="replay the warm-up records before the port opens")
    add("--max_message_bytes", type=int, default=64 << 20, help="largest request or answer")
    add("--grace_seconds", type=float, default=10.0, help="time for running requests to finish on SIGTERM")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server as a program.

    Returns:
        The exit code: 0 after SIGTERM or SIGINT, 2 when it could not start (one sentence on standard error).
    """
    flags = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    options = ServerOptions(
        workers=flags.grpc_max_threads,
        intra_op=flags.tensorflow_intra_op_parallelism,
        inter_op=flags.tensorflow_inter_op_parallelism,
        max_message_bytes=flags.max_message_bytes,
        grace_seconds=flags.grace_seconds,
        warm_up=flags.enable_model_warmup,
    )
    try:
        serve(
            flags.model_base_path,
            flags.model_name,
            flags.host,
            flags.port,
            ready=lambda address: print(f"Running gRPC ModelServer at {address} ...", flush=True),
            options=options,
        )
    except TfrecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
