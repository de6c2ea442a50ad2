"""Hostile requests against one server: a typed answer each, the server lives, nothing leaks.

    python benchmarks/serving_fuzz.py
    python benchmarks/serving_fuzz.py --encoder tiny --items 1000 --requests 500
    python benchmarks/serving_fuzz.py --export runs/demo/export --seed 2

Random bytes, wrong dtypes, shapes and names, NUL, broken UTF-8, texts of a megabyte, k of -1 and 10^9, broken JSON and
broken HTTP, over gRPC and REST (tests/serving/protocol/hostile.py). After a fifth of them, which fills pools and
caches, the server's memory, threads and descriptors are read, and again at the end. Writes
benchmarks/results/serving_fuzz.json; exit code 1 when an answer was not typed, the server is gone, or something grew.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # before this folder, which holds a serving.py: "serving" is the package

import grpc  # noqa: E402
from serving_export import make  # noqa: E402
from serving_load import model_server  # noqa: E402
from serving_soak import look  # noqa: E402

from tests.serving.protocol.fuzzing import send_all  # noqa: E402
from tests.serving.protocol.hostile import requests  # noqa: E402
from tfrec.serving.client import Client  # noqa: E402

RESULT = Path(__file__).parent / "results" / "serving_fuzz.json"
MODEL = "shop"  # the name that most hostile requests give
ALLOWED = {"resident_mib": 64.0, "threads": 16, "descriptors": 16}


def measure(export: Path, work: Path, count: int, seed: int) -> dict[str, Any]:
    """One run."""
    flags = [f"--model_name={MODEL}", "--rest_api_port=-1"]
    with model_server(export, work / "server.log", *flags) as (process, address):
        [rest_port] = re.findall(r":(\d+) \.\.\.", process.stdout.readline())
        with grpc.insecure_channel(address) as channel, Client(address, MODEL, timeout=30) as client:
            first = max(count // 5, 1)
            ended: Counter[str] = send_all(requests(seed + 1, first), channel, int(rest_port))
            before, started = look(process.pid), time.perf_counter()
            ended += send_all(requests(seed, count - first), channel, int(rest_port))
            seconds = time.perf_counter() - started
            alive = process.poll() is None and len(client.search("sofa", 1)) == 1
            time.sleep(2)  # the last connections close
            after = look(process.pid)
    grown = {name: round(after[name] - before[name], 1) for name in ALLOWED}
    log = (work / "server.log").read_text(errors="replace")
    return {
        "requests": sum(ended.values()), "ended": dict(ended.most_common()), "alive": alive, "before": before,
        "after": after, "grown": grown, "seconds": round(seconds, 1), "tracebacks": log.count("Traceback"),
    }  # fmt: skip


def main() -> None:
    """Runs once, prints how the requests ended and writes the result."""
    parser = argparse.ArgumentParser(description="Hostile requests against one server.")
    parser.add_argument("--export", type=Path, help="folder with version folders; without it one is made")
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export = given.export or make(work / "export", given.items, given.encoder)
        result = measure(export, work, given.requests, given.seed)
    for name, times in result["ended"].items():
        print(f"{name:<28}{times:>7}")
    print(f"{result['requests']:,} requests in {result['seconds']} s; the server is alive: {result['alive']}")
    print(f"grown: {result['grown']}, allowed: {ALLOWED}; tracebacks in its log: {result['tracebacks']}")
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n")
    too_much = [name for name, limit in ALLOWED.items() if result["grown"][name] > limit]
    if too_much or not result["alive"] or result["tracebacks"]:
        sys.exit(f"grew too much: {too_much}; alive: {result['alive']}; tracebacks: {result['tracebacks']}")


if __name__ == "__main__":
    main()
