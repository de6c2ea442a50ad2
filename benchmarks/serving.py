"""Serving: requests per second and latency beside the in-process floor and beside FastAPI with sentence-transformers.

    python benchmarks/serving.py
    python benchmarks/serving.py --export runs/esci/export --seconds 20 --no-fastapi
    python benchmarks/serving.py --encoder tiny --items 1000 --seconds 2 --clients 1 4 --no-fastapi

The floor is the same export called in a process of its own with the same queries: with batches of 1 in turns with one
client of the server, a second each; with batches of 32, in one thread and in one per core, before and after the
server, and the better counts. Client and server share the machine's cores. Goals: one client's p50 within 1.5 ms of the
floor at batch 1; 64 clients at least 85 % of the floor at batch 32; three times the requests of FastAPI. Writes
benchmarks/results/serving.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # before this folder, which holds a serving.py: "serving" is the package

from serving_export import make, queries  # noqa: E402
from serving_floor import Floor, running  # noqa: E402
from serving_load import (  # noqa: E402
    Outcome,
    grpc_closed,
    grpc_open,
    http_closed,
    model_server,
    predict_requests,
    program,
)

from tfrec.serving.server.sessions.threads import usable_cores  # noqa: E402

RESULT = Path(__file__).parent / "results" / "serving.json"
BATCH = 32


def whole_batches(floor: Floor, seconds: float, before: dict[str, float] | None = None) -> dict[str, float]:
    """The floor at full batches, in one thread and in one per core; the better of this and of what was found before."""
    one, all_cores = floor.measure(BATCH, seconds), floor.measure(BATCH, seconds, usable_cores())
    found = {"batch_32_ms": one[0], "batch_32_qps": one[1], "batch_32_all_cores_qps": all_cores[1]}
    if before is not None:
        found = {name: (min if name.endswith("_ms") else max)(value, before[name]) for name, value in found.items()}
    return {name: round(value, 2) for name, value in found.items()}


def in_turns(floor: Floor, address: str, bodies: list[bytes], seconds: float) -> dict[str, float]:
    """One client and the floor, a second of each in turn: medians over the turns of p50 and of the difference."""
    turns = []
    for _ in range(max(round(seconds), 1)):
        alone = floor.measure(1, 1.0)[0]
        turns.append((alone, grpc_closed(address, bodies, 1, 1.0).told()["p50"]))
    differences = [served - alone for alone, served in turns]
    values = {"floor_p50": [alone for alone, _ in turns], "one_client_p50": [served for _, served in turns]}
    values["difference"] = differences
    return {name: round(float(np.median(one)), 2) for name, one in values.items()}


def row(name: str, outcome: Outcome) -> dict[str, Any]:
    """One line of the table, printed as soon as it is known."""
    told = {"what": name, **outcome.told()}
    cells = [f"{told['what']:<34}"] + [f"{told[key]:>9}" for key in ("qps", "p50", "p95", "p99", "max", "failed")]
    print(" ".join(cells), flush=True)
    return told


def measure_server(
    export: Path, work: Path, clients: list[int], seconds: float, floor: Floor
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """One client in turns with the floor; closed loops with each number of clients; open loops at shares of the best.

    Returns:
        (the rows of the loops, what the turns gave).
    """
    bodies, rows = predict_requests(queries(1024)), []
    with model_server(export, work / "server.log") as (_, address):
        grpc_closed(address, bodies, 2, min(seconds, 2))
        turns = in_turns(floor, address, bodies, seconds)
        for count in clients:
            outcome = grpc_closed(address, bodies, count, seconds)
            rows.append({"clients": count, **row(f"tfrec, {count} clients", outcome)})
        best = max(one["qps"] for one in rows)
        for share in (0.3, 0.6, 0.8, 1.5):
            outcome = grpc_open(address, bodies, share * best, seconds)
            name = f"tfrec, open loop at {share:.0%} of the best"
            rows.append({"rate": round(share * best, 1), **row(name, outcome), "failures": outcome.failures})
    return rows, turns


def measure_fastapi(work: Path, items: int, clients: list[int], seconds: float) -> list[dict[str, Any]]:
    """Closed loops against FastAPI, in f32 and in bf16, with one PyTorch thread per call and with all."""
    from tfrec.encoder.published import PUBLISHED, fetch_files

    checkpoint = fetch_files(PUBLISHED["minilm"], work)
    bodies, rows = [json.dumps({"query": query, "k": 10}).encode() for query in queries(1024)], []
    app = str(Path(__file__).with_name("serving_fastapi.py"))
    for flags in (["--threads=1"], [f"--threads={usable_cores()}"], ["--threads=1", "--half"]):
        arguments = [app, str(checkpoint), f"--items={items}", *flags]
        with program(arguments, "Ready", work / "fastapi.log") as (_, line):
            host, _, port = line.split()[-1].rpartition(":")
            time.sleep(1)
            http_closed(host, int(port), bodies, 2, min(seconds, 2), "/search")
            for count in clients:
                outcome = http_closed(host, int(port), bodies, count, seconds, "/search")
                name = f"FastAPI {' '.join(flags)}, {count} clients"
                rows.append({"clients": count, "flags": flags, **row(name, outcome)})
    return rows


def judge(result: dict[str, Any]) -> dict[str, Any]:
    """The goals as numbers."""
    by_clients = {one["clients"]: one for one in result["server"] if "clients" in one}
    goals: dict[str, Any] = {"one client's p50 above the floor, ms (goal 1.5)": result["in_turns"]["difference"]}
    if 64 in by_clients:
        rate = by_clients[64]["qps"]
        goals["64 clients / floor at batch 32, one thread (goal 0.85)"] = round(
            rate / result["floor"]["batch_32_qps"], 2
        )
        goals["64 clients / floor at batch 32, all cores"] = round(rate / result["floor"]["batch_32_all_cores_qps"], 2)
    if result["fastapi"]:
        for count, ours in by_clients.items():
            theirs = max(one["qps"] for one in result["fastapi"] if one["clients"] == count)
            goals[f"{count} clients / FastAPI's best (goal 3 at 64)"] = round(ours["qps"] / theirs, 2)
    return goals


def main() -> None:
    """Measures floor, server, floor again, FastAPI; prints the table and writes it as JSON."""
    parser = argparse.ArgumentParser(description="Requests per second and latency of serving.")
    parser.add_argument("--export", type=Path, help="folder with version folders; without it one is made")
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--no-fastapi", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export = given.export or make(work / "export", given.items, given.encoder, given.precision)
        from tfrec.serving.server.versions.folders import find_versions

        version = find_versions(export)[0].folder
        each = max(min(given.seconds, 5.0), 1.0)
        header = [f"{'':<34}"] + [f"{name:>9}" for name in ("qps", "p50", "p95", "p99", "max", "failed")]
        print(" ".join(header), flush=True)
        result: dict[str, Any] = {"items": given.items, "encoder": given.encoder, "cores": usable_cores()}
        with running(version) as floor:
            before = whole_batches(floor, each)
            result["server"], result["in_turns"] = measure_server(export, work, given.clients, given.seconds, floor)
            result["floor"] = whole_batches(floor, each, before)
        missing = [name for name in ("fastapi", "sentence_transformers", "uvicorn") if find_spec(name) is None]
        if missing and not given.no_fastapi:
            print(f"FastAPI is left out ({', '.join(missing)} missing): pip install -e '.[bench]'", flush=True)
        skip = given.no_fastapi or bool(missing)
        result["fastapi"] = [] if skip else measure_fastapi(work, given.items, given.clients, given.seconds)
        result["goals"] = judge(result)
    for name, value in {**result["floor"], **result["in_turns"], **result["goals"]}.items():
        print(f"{name}: {value}")
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
