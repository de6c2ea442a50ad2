"""What mirroring every request to a second version costs the caller: medians with and without, in turns, in one run.

    python benchmarks/shadow.py
    python benchmarks/shadow.py --export runs/demo/export --seconds 20 --rounds 5

One server holds two versions of the same model, `stable` and `canary`. By its traffic.yaml, which it follows without a
restart, requests are mirrored not at all, all of them while no request is being answered (the default), and all of them
also beside requests (`--always`). Each round has a part of each kind, in random order, under each load: a client in a
closed loop, four of them, and requests at random times. Writes benchmarks/results/shadow.json: p50 and p99 by part, the
median over rounds of the ratio of p50 to the same round's part without mirroring, and how many were compared, dropped
or failed. Exit code 1 where a request failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this folder's serving.py shall not hide the package

from serving_export import make, queries  # noqa: E402
from serving_load import Outcome, grpc_closed, grpc_open, predict_requests, program  # noqa: E402

RESULT = Path(__file__).parent / "results" / "shadow.json"
PARTS = {"off": {}, "idle only": {"share": 1.0}, "always": {"share": 1.0, "idle_only": False}}
OUTCOMES = ("compared", "dropped", "failed")


def counted(rest: int) -> dict[str, int]:
    """Requests for the shadow so far, by what became of them."""
    page = urllib.request.urlopen(f"http://127.0.0.1:{rest}/monitoring/prometheus/metrics").read().decode()
    found = {name: re.search(rf'shadow_requests_total\{{.*outcome="{name}"\}} (\d+)', page) for name in OUTCOMES}
    return {name: int(one[1]) if one else 0 for name, one in found.items()}


def loads(given: argparse.Namespace) -> dict[str, Any]:
    """The kinds of load, by name."""
    return {
        "1 client": lambda address, bodies: grpc_closed(address, bodies, 1, given.seconds),
        f"{given.rate:g}/s": lambda address, bodies: grpc_open(address, bodies, given.rate, given.seconds),
        "4 clients": lambda address, bodies: grpc_closed(address, bodies, 4, given.seconds),
    }


def measure(export: Path, work: Path, given: argparse.Namespace) -> list[dict[str, Any]]:
    """A row per round, load and part."""
    from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy
    from tfrec.serving.server.configuration.model_config_text import model_config_text
    from tfrec.serving.server.configuration.traffic_file import TrafficSettings, write_traffic

    base = work / "versions"
    newest = max((entry for entry in export.iterdir() if entry.name.isdigit()), key=lambda entry: int(entry.name))
    for number in (1, 2):
        shutil.copytree(newest, base / str(number), copy_function=os.link if number == 2 else shutil.copy2)
    config = ModelConfig("tfrec", str(base), VersionPolicy("specific", versions=(1, 2)), {"stable": 1, "canary": 2})
    (work / "models.config").write_text(model_config_text([config], []))
    traffic, bodies, rows = work / "traffic.yaml", predict_requests(queries(1024)), []
    arguments = ["-m", "tfrec.serving.server", "--port=0", "--rest_api_port=-1", f"--traffic_config_file={traffic}"]
    with program([*arguments, f"--model_config_file={work / 'models.config'}"], "Exporting", work / "log") as started:
        rest = int(started[1].rsplit(":", 1)[1].split()[0])
        address = f"127.0.0.1:{_grpc_port(work / 'log')}"
        grpc_closed(address, bodies, 2, 3)
        draw = random.Random(17)
        for number in range(given.rounds):
            for load, run in loads(given).items():
                for part in draw.sample(list(PARTS), len(PARTS)):
                    # stable by label also while nothing is mirrored: the smallest share that is not 0
                    tree = {"canary": {"share": 0.0}, "shadow": PARTS[part] or {"share": 1e-12}}
                    write_traffic(traffic, TrafficSettings.model_validate(tree))
                    time.sleep(0.8)
                    before, outcome = counted(rest), run(address, bodies)
                    time.sleep(0.5)
                    rows.append({"round": number, "load": load, "part": part, **_told(outcome, before, counted(rest))})
                    print(json.dumps(rows[-1]), flush=True)
    return rows


def _grpc_port(log: Path) -> int:
    found = re.search(r"Serving gRPC at \S+ port (\d+)", log.read_text())
    assert found is not None
    return int(found[1])


def _told(outcome: Outcome, before: dict[str, int], after: dict[str, int]) -> dict[str, Any]:
    return {**outcome.told(), **{f"shadow_{name}": after[name] - before[name] for name in OUTCOMES}}


def summed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per load and part: medians over rounds, ratios to the part without mirroring of the same round."""
    found = []
    for load, part in dict.fromkeys((row["load"], row["part"]) for row in rows):
        mine = [row for row in rows if (row["load"], row["part"]) == (load, part)]
        off = {row["round"]: row for row in rows if (row["load"], row["part"]) == (load, "off")}
        ratios = {level: [row[level] / off[row["round"]][level] for row in mine] for level in ("p50", "p99")}
        counts = {name: sum(row[name] for row in mine) for name in ("failed", *(f"shadow_{one}" for one in OUTCOMES))}
        found.append(
            {"load": load, "part": part, "qps": float(np.median([row["qps"] for row in mine]))}
            | {level: float(np.median([row[level] for row in mine])) for level in ("p50", "p99")}
            | {f"{level}_ratio": round(float(np.median(values)), 3) for level, values in ratios.items()}
            | {"p50_ratios": [round(value, 3) for value in sorted(ratios["p50"])], **counts}
        )
    return sorted(found, key=lambda row: (row["load"], list(PARTS).index(row["part"])))


def main() -> None:
    """Runs once and writes the result."""
    parser = argparse.ArgumentParser(description="What mirroring costs the caller.")
    parser.add_argument("--export", type=Path, help="folder with version folders; without it one is made")
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--rate", type=float, default=20.0, help="requests per second of the open loop")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export = given.export or make(work / "export", given.items, given.encoder)
        rows = measure(export, work, given)
    table = summed(rows)
    for row in table:
        shares = f"compared {row['shadow_compared']}, dropped {row['shadow_dropped']}"
        print(f"{row['load']:<10}{row['part']:<10} p50 {row['p50']:>7.2f} ms (x {row['p50_ratio']:.3f})  "
              f"p99 {row['p99']:>7.2f} ms (x {row['p99_ratio']:.3f})  {shares}")  # fmt: skip
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps({"table": table, "rounds": rows}, indent=2) + "\n")
    sys.exit(1 if any(row["failed"] for row in rows) else 0)


if __name__ == "__main__":
    main()
