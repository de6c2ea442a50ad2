"""What the HTTP port itself costs: requests a second and the server's processor time, over an API that answers at once.

    python benchmarks/rest_port.py                          # this checkout
    python benchmarks/rest_port.py OTHER --rounds 5         # in turns with another checkout of this repository

Each round starts a server process for each checkout in turn and sends it small predictions over kept connections, and
bodies of 1 MiB. The client is the same for all.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

SERVER = """
import resource, sys
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.rest.message import Reply
class Api:
    def respond(self, *given):
        return Reply(200, b'{"outputs": {"item_ids": [["S-1"]], "scores": [[1.0]]}}')
listener = RestListener(Api())
print(listener.start("127.0.0.1", 0), flush=True)
sys.stdin.readline()
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, flush=True)
"""
SMALL = json.dumps({"signature_name": "search", "inputs": {"query": ["red leather sofa"], "k": 10}}).encode()
HEADERS = {"Content-Type": "application/json", "Accept": "*/*", "User-Agent": "benchmark"}


def ask(port: int, body: bytes, count: int) -> None:
    """Sends requests one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(count):
        connection.request("POST", "/v1/models/shop:predict", body, HEADERS)
        assert connection.getresponse().read()
    connection.close()


def measure(checkout: Path, body: bytes, count: int, clients: int) -> tuple[float, float]:
    """Requests a second, and seconds of the server's processor for 1,000 requests."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None and server.stdout is not None
    port = int(server.stdout.readline())
    clock = f"/proc/{server.pid}/stat"
    begun = sum(map(int, Path(clock).read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    started = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(port, body, count // clients)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    used = float(server.communicate("\n")[0]) - begun
    return count / seconds, 1000 * used / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, help="beside this one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--clients", type=int, default=4)
    given = parser.parse_args()
    here = Path(__file__).resolve().parent.parent
    for what, body, count in (("small", SMALL, given.requests), ("1 MiB", b"[" + b"1," * (1 << 19) + b"1]", 200)):
        found: dict[Path, list[tuple[float, float]]] = {path: [] for path in (*given.checkouts, here)}
        for _ in range(given.rounds):
            for path, figures in found.items():
                figures.append(measure(path, body, count, given.clients))
        for path, figures in found.items():
            rate, used = (statistics.median(column) for column in zip(*figures, strict=True))
            print(
                f"{what:6} {path.name or path}: {rate:8.0f} requests/s, {used:7.3f} s of processor for 1,000 requests"
            )


if __name__ == "__main__":
    main()
