"""A long run against one server: do memory, threads or descriptors grow?

    python benchmarks/serving_soak.py --requests 200000
    python benchmarks/serving_soak.py --encoder tiny --items 1000 --requests 3000 --clients 8

Requests of several signatures and batch sizes, every tenth of them wrong, over connections that are opened anew every
few thousand requests. After each twentieth the server's memory, threads and descriptors are read. The first quarter is
left out (pools fill up); growth is the slope of a line through the rest, times its length. Writes
benchmarks/results/serving_soak.json; exit code 1 when something grew beyond what is allowed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this folder's serving.py shall not hide the package

from serving_export import make, queries  # noqa: E402
from serving_load import grpc_closed, model_server  # noqa: E402

RESULT = Path(__file__).parent / "results" / "serving_soak.json"
ALLOWED = {"resident_mib": 30.0, "threads": 3.0, "descriptors": 3.0}
_SAMPLES = 20


def bodies(count: int, items: int, seed: int = 17) -> list[bytes]:
    """Serialised requests: search, recommend and similar_items, one to eight rows; every tenth is wrong."""
    from tfrec.serving.client import schema
    from tfrec.serving.client.tensors import fill

    draw, texts = random.Random(seed), queries(1500)
    made = []
    for number in range(count):
        rows = draw.choice([1, 1, 1, 2, 8])
        ids = [[f"item-{draw.randrange(items)}" for _ in range(draw.randrange(1, 6))] for _ in range(rows)]
        width = max(map(len, ids))
        request = schema.PredictRequest()
        request.model_spec.name = "tfrec"
        name, field, value = draw.choice(
            [
                ("search", "query", [draw.choice(texts) for _ in range(rows)]),
                ("recommend", "history", [[*one, *[""] * (width - len(one))] for one in ids]),
                ("similar_items", "item_id", [one[0] for one in ids]),
            ]
        )
        request.model_spec.signature_name = name
        fill(request.inputs[field], np.array(value, object), content=True)
        fill(request.inputs["k"], np.asarray(np.int32(draw.choice([1, 10, 10, 50]))), content=True)
        if number % 10 == 9:
            wrong = draw.randrange(4)
            if wrong == 0:
                request.model_spec.name = "nobody"
            elif wrong == 1:
                fill(request.inputs["more"], np.asarray(np.float32(1)), content=True)
            elif wrong == 2:
                request.inputs["k"].int_val[:] = [-1]
            else:
                request.model_spec.signature_name = "x" * 50
        made.append(request.SerializeToString(deterministic=True))
    return made


def look(pid: int) -> dict[str, float]:
    """Memory, threads and open descriptors of a process (Linux)."""
    place = Path(f"/proc/{pid}")
    fields = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
    return {
        "resident_mib": int(fields["VmRSS"].split()[0]) / 1024,
        "threads": int(fields["Threads"]),
        "descriptors": len(list((place / "fd").iterdir())),
    }


def growth(values: list[float]) -> float:
    """The rise of a least-squares line over all values but the first quarter."""
    kept = values[len(values) // 4 :]
    return round(float(np.polyfit(range(len(kept)), kept, 1)[0]) * (len(kept) - 1), 2)


def measure(export: Path, work: Path, items: int, requests: int, clients: int) -> dict[str, Any]:
    """One run."""
    made, samples, answered, failures = bodies(2000, items), [], 0, {}
    started = time.monotonic()
    with model_server(export, work / "server.log") as (process, address):
        outcome = grpc_closed(address, made, clients, 1.0)
        rate = max((len(outcome.milliseconds) + sum(outcome.failures.values())) / outcome.seconds, 1.0)
        while answered < requests:
            part = grpc_closed(address, made, clients, max(requests / _SAMPLES / rate, 0.2))
            answered += len(part.milliseconds) + sum(part.failures.values())
            for name, count in part.failures.items():
                failures[name] = failures.get(name, 0) + count
            samples.append({"requests": answered, **look(process.pid)})
            print(json.dumps(samples[-1]), flush=True)
    seconds = round(time.monotonic() - started, 1)
    grown = {name: growth([sample[name] for sample in samples]) for name in ALLOWED}
    return {"requests": answered, "seconds": seconds, "refused": failures, "grown": grown, "samples": samples}


def main() -> None:
    """Runs once, prints what grew and writes the samples."""
    parser = argparse.ArgumentParser(description="A long run against one server.")
    parser.add_argument("--export", type=Path, help="folder with version folders; without it one is made")
    parser.add_argument("--encoder", default="tiny")
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export = given.export or make(work / "export", given.items, given.encoder)
        result = measure(export, work, given.items, given.requests, given.clients)
    unexpected = set(result["refused"]) - {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}
    print(f"{result['requests']:,} requests in {result['seconds']} s, refused as they should be: {result['refused']}")
    print(f"grown: {result['grown']}, allowed: {ALLOWED}")
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n")
    too_much = [name for name, limit in ALLOWED.items() if result["grown"][name] > limit]
    if too_much or unexpected:
        sys.exit(f"grew too much: {too_much}; unexpected: {sorted(unexpected)}")


if __name__ == "__main__":
    main()
