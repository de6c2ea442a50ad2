"""The floor of the serving benchmark: an export called in a process of its own, without any server.

    python benchmarks/serving_floor.py VERSION_FOLDER

Reads lines "batch seconds threads" and answers each with a line of JSON. The process stays, so that short measurements
of it and of a server can take turns: a machine's mood then falls on both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from serving_export import queries  # noqa: E402


class Floor:
    """The running process; see `running`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(self, batch: int, seconds: float, threads: int = 1) -> tuple[float, float]:
        """Calls the export again and again.

        Args:
            batch: queries per call.
            seconds: for how long.
            threads: how many call at once.

        Returns:
            (median milliseconds of a call, queries per second of all threads together).
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{batch} {seconds} {threads}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the floor's process ended: see its messages above")
        found = json.loads(line)
        return found["ms"], found["qps"]


@contextmanager
def running(version: Path) -> Iterator[Floor]:
    """The floor of a version folder, loaded and warm."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(version)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        floor = Floor(process)
        floor.measure(1, 0.5)
        yield floor


def main() -> None:
    """Answers the lines of standard input."""
    from tfrec.serving.server.sessions.runtime import open_model

    model, texts = open_model(Path(sys.argv[1])), [query.encode() for query in queries(1024)]

    def loop(batch: int, seconds: float, times: list[float]) -> None:
        until, place = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            started = time.perf_counter()
            chosen = np.empty(batch, object)
            chosen[:] = [texts[(place + n) % len(texts)] for n in range(batch)]
            model.run("search", {"query": chosen, "k": np.asarray(np.int32(10))})
            times.append(time.perf_counter() - started)
            place += batch

    for line in sys.stdin:
        batch, seconds, count = (float(word) for word in line.split())
        loop(int(batch), 0.1, [])
        together: list[list[float]] = [[] for _ in range(int(count))]
        threads = [threading.Thread(target=loop, args=(int(batch), seconds, times)) for times in together]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = {
            "ms": 1e3 * float(np.median(np.concatenate(together))),
            "qps": sum(int(batch) * len(times) / sum(times) for times in together),
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
