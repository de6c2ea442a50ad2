"""Changing versions under load: how many requests fail, and what the others feel of it.

    python benchmarks/serving_swap.py --changes 20 --seconds 60
    python benchmarks/serving_swap.py --export runs/demo/export --changes 3 --rate 30
    python benchmarks/serving_swap.py --encoder minilm --changes 3
    python benchmarks/serving_swap.py --items 1000 --changes 3 --seconds 20 --clients 2

Requests come at random times, `--rate` per second on average, or from `--clients` in closed loops, which leave a load
no idle core. After a quiet part, a fifth of `--seconds` before them, a new version folder is renamed into place as soon
as the one before answers and its turn has come; halfway a broken one comes in between, which must be refused. All
versions hold the same model, so every answer says by its model_spec which one gave it.

How many changes fit into the time depends on what compiling the model's signatures costs, which is more for a larger
encoder, so the default is the tiny one over a full catalogue. Writes benchmarks/results/serving_swap.json: failures,
percentiles of the quiet part and of the rest, the time from each rename to the first answer, and the server's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this folder's serving.py shall not hide the package

from serving_export import make, queries  # noqa: E402
from serving_load import Outcome, grpc_closed, grpc_open, model_server, predict_requests  # noqa: E402

RESULT = Path(__file__).parent / "results" / "serving_swap.json"


def memory(pid: int) -> dict[str, float]:
    """Memory of a process now and at its peak, MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return {"resident_mib": int(fields["VmRSS"]) // 1024, "peak_mib": int(fields["VmHWM"]) // 1024}


class Publisher(threading.Thread):
    """Renames new versions into place while load runs, and removes those that nobody needs any more.

    Attributes:
        took: seconds from the rename of each version to the first answer of it.
        refused: what the server says of the broken version.

    Args:
        base: the base path, with version 1.
        address: of the server.
        changes: how many versions to bring at most.
        quiet: seconds before the first.
        until: when to stop, on the clock of time.monotonic.
    """

    def __init__(self, base: Path, address: str, changes: int, quiet: float, until: float) -> None:
        super().__init__(daemon=True)
        self._base, self._address, self._changes, self._quiet, self._until = base, address, changes, quiet, until
        self._arrived = threading.Condition()
        self._newest = 1
        self.took: list[float] = []
        self.refused = ""

    def seen(self, version: int) -> None:
        """An answer came from this version."""
        if version > self._newest:
            with self._arrived:
                self._newest = version
                self._arrived.notify_all()

    def run(self) -> None:
        """Brings one version after the other."""
        time.sleep(self._quiet)
        begin = time.monotonic()
        share = (self._until - begin) / (self._changes + 1)
        number = 1
        for change in range(self._changes):
            time.sleep(max(begin + change * share - time.monotonic(), 0))
            if change == self._changes // 2:
                number += 1
                self._publish(number, broken=True)
                self._await_refusal(number)
            number += 1
            renamed = time.monotonic()
            self._publish(number)
            with self._arrived:
                if not self._arrived.wait_for(lambda n=number: self._newest >= n, self._until - time.monotonic()):
                    return
            self.took.append(round(time.monotonic() - renamed, 2))
            for old in range(2, number - 1):
                shutil.rmtree(self._base / str(old), ignore_errors=True)

    def _publish(self, number: int, broken: bool = False) -> None:
        aside = self._base / f".{number}.partial"
        shutil.copytree(self._base / "1", aside, copy_function=os.link)
        if broken:
            weights = next((aside / "variables").glob("*.data-*"))
            content = bytearray(weights.read_bytes())
            weights.unlink()
            content[len(content) // 2] ^= 1
            weights.write_bytes(bytes(content))
        aside.rename(self._base / str(number))

    def _await_refusal(self, number: int) -> None:
        from tfrec.serving.client import Client

        with Client(self._address, "tfrec", timeout=30) as client:
            while not self.refused and time.monotonic() < self._until:
                time.sleep(0.1)
                for status in client.status():
                    if status.version == number and status.state == "END":
                        self.refused = f"{status.error_code}: {status.error_message}"


def measure(export: Path, work: Path, given: argparse.Namespace) -> dict[str, Any]:
    """One run."""
    from tfrec.serving.client import schema

    base = work / "versions"
    newest = max((entry for entry in export.iterdir() if entry.name.isdigit()), key=lambda entry: int(entry.name))
    shutil.copytree(newest, base / "1")
    bodies, seconds = predict_requests(queries(1024)), given.seconds
    quiet = seconds / 5
    flags = ["--file_system_poll_wait_seconds=0.2", *given.server_flag]
    with model_server(base, work / "server.log", *flags) as (process, address):
        grpc_closed(address, bodies, 2, 1)
        before = memory(process.pid)
        publisher = Publisher(base, address, given.changes, quiet, time.monotonic() + quiet + seconds)

        def look(answer: bytes) -> None:
            publisher.seen(schema.PredictResponse.FromString(answer).model_spec.version.value)

        def load(length: float) -> Outcome:
            if given.clients:
                return grpc_closed(address, bodies, given.clients, length, look=look)
            return grpc_open(address, bodies, given.rate, length, look=look)

        publisher.start()
        still = load(quiet * 0.95)
        busy = load(seconds)
        publisher.join(5)
        time.sleep(2)
        after = memory(process.pid)
    return {
        "clients": given.clients, "rate": given.rate, "changes": len(publisher.took), "wanted": given.changes,
        "broken": publisher.refused, "failures": {**still.failures, **busy.failures}, "quiet": still.told(),
        "changing": busy.told(), "seconds_to_first_answer": publisher.took, "memory_before": before,
        "memory_after": after,
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    """A few lines."""
    for part in ("quiet", "changing"):
        told = result[part]
        print(f"{part:<9} {told['qps']:>8} q/s  p50 {told['p50']} ms  p95 {told['p95']}  p99 {told['p99']}  "
              f"max {told['max']}  failed {told['failed']}")  # fmt: skip
    print(f"{result['changes']} of {result['wanted']} changes, seconds to the first answer "
          f"{result['seconds_to_first_answer']}")  # fmt: skip
    print(f"broken version: {result['broken'] or 'not told as refused'}")
    print(f"memory: {result['memory_before']} -> {result['memory_after']}")


def main() -> None:
    """Runs once and writes the result; exit code 1 when a request failed or the broken version was not refused."""
    parser = argparse.ArgumentParser(description="Version changes under load.")
    parser.add_argument("--export", type=Path, help="folder with version folders; without it one is made")
    parser.add_argument("--encoder", default="tiny")
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--rate", type=float, default=50.0, help="requests per second")
    parser.add_argument("--clients", type=int, default=0, help="clients in closed loops instead")
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0, help="during which versions change")
    parser.add_argument("--server-flag", action="append", default=[], help="a flag for the server, may be repeated")
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export = given.export or make(work / "export", given.items, given.encoder)
        result = measure(export, work, given)
    show(result)
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(1 if result["failures"] or not result["broken"] else 0)


if __name__ == "__main__":
    main()
