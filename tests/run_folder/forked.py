"""Runs tfrec's commands as processes of their own that need not import TensorFlow again, and ends them as told.

`python forked.py` reads one order (JSON) a line and answers each with one line. A command's process is a fork of this
one, which has imported everything and computed nothing.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

_TENSORFLOW = {"TF_USE_LEGACY_KERAS": "1", "CUDA_VISIBLE_DEVICES": "-1"}  # as tfrec.tensorflow_setup sets them
LIMIT = 1800.0  # seconds that a command may take; on a machine that does nothing else it takes twenty


class Commands:
    """The process that forks.

    Args:
        environment: beside this process's; with TFREC_HOME.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.home = environment["TFREC_HOME"]
        root = Path(__file__).resolve().parents[2]
        path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": path} | _TENSORFLOW | environment,
        )  # fmt: skip

    def run(self, *orders: dict[str, Any]) -> list[tuple[int, str]]:
        """Runs commands at the same time.

        Args:
            orders: arguments ("argv"), and perhaps "rename": the number of the rename at which it is killed, "limit":
                bytes that a file may have, "output": a file for what it writes beside errors, "environment".

        Returns:
            exit code (negative: the signal) and everything written, of each.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        return [(code, text) for code, text in json.loads(self._process.stdout.readline())]

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _serve() -> None:
    _import()
    for line in sys.stdin:
        # Pipes: a limit on the size of files is not one of what is said.
        running = [(order, *os.pipe()) for order in json.loads(line)]
        children = [_fork(order, write) for order, _, write in running]
        for _, _, write in running:
            os.close(write)
        with ThreadPoolExecutor(len(running)) as pool:
            texts = [pool.submit(_read, read) for _, read, _ in running]
            codes = [_wait(child) for child in children]
            answers = [(code, text.result()) for code, text in zip(codes, texts, strict=True)]
        print(json.dumps(answers), flush=True)


def _read(pipe: int) -> str:
    with open(pipe, "rb") as handle:
        return handle.read().decode("utf-8", "replace")


def _import() -> None:
    """All that is slow and computes no tensor: a process that has computed one cannot be forked."""
    import polars  # noqa: F401
    import scipy.sparse  # noqa: F401
    import tensorflow as tf
    import tensorflow_text  # noqa: F401
    import tf_keras  # noqa: F401

    with patch.multiple(tf, constant=Mock(), transpose=Mock(), zeros=Mock()):  # they look for devices
        import tfrec.tensorflow_setup
    import tfrec.cli.main
    import tfrec.pipeline.api  # noqa: F401
    from tfrec.retrieval import graph_words

    graph_words._classes()


def _fork(order: dict[str, Any], output: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.dup2(os.open(order["output"], os.O_WRONLY) if "output" in order else output, 1)
        os.dup2(output, 2)
        os.environ.update(order.get("environment", {}))
        if "limit" in order:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], order["limit"]))
        if "rename" in order:
            _die_at(order["rename"])
        sys.argv = ["tfrec", *order["argv"]]
        from tfrec.cli.main import main

        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  its words are the answer
        import traceback

        traceback.print_exc()
    finally:
        with suppress(OSError):  # an output that is full
            sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_at(number: int) -> None:
    """kill -9 at a rename, before it (even numbers) or after it (odd ones): the moments at which a run changes."""
    done = 0

    def counted(rename: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done == number and not number % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            result = rename(*arguments, **named)
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    os.rename, os.replace = counted(os.rename), counted(os.replace)


def _wait(child: int) -> int:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 71


if __name__ == "__main__":
    _serve()
