"""Purchases prepared by Apache Beam and by one process: whether the files are the same bytes, and what each costs.

    make test-beam    # makes Beam's environment, build/beam, and runs its tests and this
    build/beam/bin/python benchmarks/beam_purchases.py --purchases 1000000
    build/beam/bin/python benchmarks/beam_purchases.py --workers 2

With --workers, Beam's DirectRunner starts so many processes; without, it works in one. The same shop, its purchases in
several files, is prepared twice in processes of their own. Exits with 1 where any file differs. Writes
benchmarks/results/beam_purchases.json.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from prepare_scale import write_shop

from tfrec.files import read_json, write_json

RESULT = Path(__file__).parent / "results" / "beam_purchases.json"


def parted(folder: Path, files: int) -> None:
    """Purchases of one file in several, which workers can read side by side."""
    rows = pl.read_parquet(folder / "purchases.parquet")
    (folder / "purchases").mkdir()
    for number, part in enumerate(rows.iter_slices(-(-rows.height // files))):
        part.write_parquet(folder / "purchases" / f"{number:03d}.parquet")


def prepared(config: Path, runs: Path, *options: str) -> tuple[dict[str, str], dict[str, float]]:
    """sha256 of each file that `tfrec data prepare` makes; seconds of the clock and the processor, and GiB at most."""
    settings = [f"runs_dir={runs}", "data.interactions.path=purchases/*.parquet"]
    given = [word for setting in settings for word in ("--set", setting)]
    program = "from tfrec.cli.data import app; app()"
    started = time.monotonic()
    command = [sys.executable, "-c", program, "prepare", "--config", str(config), *given, *options]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("Preparing failed: see above.")
    cost = {
        "seconds": round(time.monotonic() - started, 1),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),  # with the processes that it waited for
        "peak_gib": round(usage.ru_maxrss / 2**20, 2),  # of the largest process; Linux counts in KiB
    }
    return read_json(next(runs.glob("*/data/*/manifest.json")))["files"], cost


def main() -> None:
    """Prepares twice, compares, prints."""
    parser = argparse.ArgumentParser(description="Purchases by Apache Beam and by one process.")
    parser.add_argument("--purchases", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    result: dict[str, Any] = {"purchases": given.purchases, "files": given.files, "workers": given.workers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_shop(folder, given.items, "plain", given.seed, given.purchases)
        parted(folder, given.files)
        one, result["one_process"] = prepared(config, folder / "one")
        options = "--runner=DirectRunner"
        if given.workers:
            options += f" --direct_running_mode=multi_processing --direct_num_workers={given.workers}"
        beam, result["beam"] = prepared(config, folder / "beam", "--beam", options)
        size = next((folder / "one").rglob("interactions.parquet")).stat().st_size
    different = sorted(file for file in one.keys() | beam.keys() if one.get(file) != beam.get(file))
    result |= {"compared": len(one), "interactions_bytes": size, "different": different}
    write_json(RESULT, result)
    for way in ("one_process", "beam"):
        print(f"{way}: " + ", ".join(f"{value} {what}" for what, value in result[way].items()))
    if different:
        raise SystemExit(f"{len(different)} of {len(one)} files differ: {', '.join(different[:5])}")
    print(f"{given.purchases:,} purchases: all {len(one)} files are the same; interactions.parquet has {size:,} bytes")


if __name__ == "__main__":
    main()
