"""Whole processes: start, answer, end on a signal; and a client that never sees TensorFlow."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tfrec.serving.client import Client, ClientError

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


COMMAND = "import typer; from tfrec.cli.serve import serve; typer.run(serve)"


@pytest.mark.parametrize(
    ("program", "flags", "ready", "number"),
    [
        (["-m", "tfrec.serving.server"], ["--model_name", "shop", "--model_base_path"], "Running", signal.SIGTERM),
        pytest.param(  # tests/integration/test_spine.py has this command, too
            ["-c", COMMAND],
            ["--model-name", "shop", "--threads", "1", "--export"],
            "Serving",
            signal.SIGINT,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["python -m tfrec.serving.server", "tfrec serve"],
)
def test_a_server_process_answers_and_ends_on_a_signal(
    export_dir: Path, program: list[str], flags: list[str], ready: str, number: signal.Signals
) -> None:
    with _process(*program, "--port", "0", *flags, str(export_dir)) as process:
        assert process.stdout is not None
        told = next(line for line in process.stdout if line.startswith(ready))
        [address] = [word for word in told.split() if word.startswith("127.0.0.1:")]
        with Client(address, "shop", timeout=20) as client:
            assert client.search("red lamp", 1)[0][0].item_id == "L-1"
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            assert "Traceback" not in errors and "lamp" not in errors
            with pytest.raises(ClientError) as gone:
                client.search("red lamp")
    assert gone.value.code == "UNAVAILABLE"


def test_running_requests_finish_when_the_server_stops(export_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfrec.serving.server.server import ModelServer
    from tfrec.serving.server.versions.loader import Servable

    run, inside = Servable.run, threading.Event()

    def slow(self: Servable, *arguments: object) -> object:
        inside.set()
        time.sleep(0.5)
        return run(self, *arguments)  # type: ignore[arg-type]

    answers: list[str] = []
    server = ModelServer(export_dir, "shop", port=0)
    server.start()
    monkeypatch.setattr(Servable, "run", slow)
    with Client(server.address, "shop", timeout=20) as client:
        thread = threading.Thread(target=lambda: answers.append(client.search("red lamp", 1)[0][0].item_id))
        thread.start()
        assert inside.wait(10)
        server.stop()
        thread.join(10)
    assert answers == ["L-1"]


def test_the_client_imports_no_tensorflow_and_little_else_of_tfrec() -> None:
    code = (
        "import sys; from tfrec.serving.client import Client; Client('127.0.0.1:1').close();"
        "loaded = {name.partition('.')[0] for name in sys.modules};"
        "heavy = loaded & {'tensorflow', 'tensorflow_serving', 'tf_keras', 'keras', 'polars', 'pydantic'};"
        "own = ('tfrec.serving', 'tfrec.comparing');"  # interleaving is plain Python
        "ours = {name for name in sys.modules if name.startswith('tfrec.') and not name.startswith(own)};"
        "print(sorted(heavy | ours))"
    )
    with _process("-c", code) as process:
        output, errors = process.communicate(timeout=60)
    assert output.strip() == "[]", errors


def test_no_server_is_one_sentence_and_quick() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.monotonic()
    with Client(f"127.0.0.1:{port}") as client, pytest.raises(ClientError) as failed:
        client.search("sofa")
    assert failed.value.code == "UNAVAILABLE"
    assert str(failed.value).startswith(f"No server answers at 127.0.0.1:{port}: start one with `tfrec serve`")
    assert time.monotonic() - started < 4


def test_a_silent_server_ends_at_the_deadline() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with Client(f"127.0.0.1:{silent.getsockname()[1]}", timeout=0.5) as client:
            with pytest.raises(ClientError) as failed:
                client.search("sofa")
    assert failed.value.code == "DEADLINE_EXCEEDED" and "0.5 s" in failed.value.message
    assert time.monotonic() - started < 3


def test_a_server_that_comes_up_during_the_retries_is_found(export_dir: Path) -> None:
    from tfrec.serving.server.server import ModelServer

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    again = ModelServer(export_dir, "shop", port=port)
    with Client(f"127.0.0.1:{port}", "shop", timeout=30, retries=60) as client:
        thread = threading.Timer(0.5, again.start)
        thread.start()
        try:
            assert client.search("red lamp", 1)[0][0].item_id == "L-1"
        finally:
            thread.join()
            again.stop()
