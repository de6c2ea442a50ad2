"""Measures `tfrec data prepare` on a large synthetic catalogue: seconds and peak memory of the whole process.

    python benchmarks/prepare_scale.py --items 1000000

Prints one line and writes benchmarks/results/prepare_scale.json.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import yaml

from tfrec.data.demo import generate_items
from tfrec.files import read_json, write_json

RESULT = Path(__file__).parent / "results" / "prepare_scale.json"
QUERIES, JUDGED = 300, 20


def write_shop(folder: Path, count: int, seed: int) -> Path:
    """Writes items.csv and searches.csv of a shop, and its configuration.

    Args:
        folder: where to.
        count: the number of products.
        seed: the seed.

    Returns:
        the configuration's path.
    """
    generate_items(folder / "items.csv", count, seed)
    sample = pl.scan_csv(folder / "items.csv", infer_schema=False).select("item_id", "title").head(20_000).collect()
    rng = random.Random(seed)
    rows = []
    for number in range(QUERIES):
        titles = sample.sample(JUDGED, seed=seed + number)
        words = str(titles["title"][0]).split()
        query = " ".join(rng.sample(words, min(3, len(words))))
        rows += [(f"{query} {number}", item, float(place < 5)) for place, item in enumerate(titles["item_id"])]
    pl.DataFrame(rows, schema=["query", "item_id", "gain"], orient="row").write_csv(folder / "searches.csv")
    tree = {
        "name": "scale",
        "runs_dir": str(folder / "runs"),
        "data": {"root": str(folder), "items": "items.csv", "searches": "searches.csv"},
    }
    (folder / "scale.yaml").write_text(yaml.safe_dump(tree))
    return folder / "scale.yaml"


def main() -> None:
    """Generates, prepares in a process of its own, measures."""
    parser = argparse.ArgumentParser(description="Seconds and peak memory of `tfrec data prepare`.")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_shop(folder, given.items, given.seed)
        megabytes = (folder / "items.csv").stat().st_size / 1e6
        started = time.monotonic()
        program = "from tfrec.cli.data import app; app()"
        subprocess.run([sys.executable, "-c", program, "prepare", "--config", str(config)], check=True)
        seconds = time.monotonic() - started
        report = read_json(next((folder / "runs" / "scale" / "data").glob("*/report.json")))["items"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # Linux counts in KiB
    result = {
        "items": given.items,
        "rows_read": report["rows_read"],
        "rows_kept": report["rows_kept"],
        "megabytes": round(megabytes, 1),
        "seconds": round(seconds, 1),
        "peak_gib": round(peak, 2),
        "items_per_second": round(given.items / seconds),
    }
    write_json(given.output, result)
    print(
        f"{result['rows_read']:,} rows ({megabytes:.0f} MB) in {seconds:.1f} s, {given.items / seconds:,.0f} items/s, "
        f"peak memory {peak:.2f} GiB -> {given.output}"
    )


if __name__ == "__main__":
    main()
