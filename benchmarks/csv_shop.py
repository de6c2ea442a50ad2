"""A large shop as two CSV files, the defaults and a time budget: minutes, memory, quality and the batch search.

    python benchmarks/csv_shop.py --items 54000 --queries 12000 --minutes 15

Generates items.csv (item_id, title), judgments.csv (query, item_id, gain; about six per query) and 1,100 further
queries in a temporary folder, runs `tfrec train` and `tfrec search` on them as a user would, prints what they print
with seconds and peak memory, and writes benchmarks/results/csv_shop.json.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.data.demo import generate
from tfrec.files import read_json, write_json

RESULT = Path(__file__).parent / "results" / "csv_shop.json"
JUDGED, ASKED = 6, 1100


def write_shop(folder: Path, items: int, queries: int, minutes: float, seed: int) -> Path:
    """Writes the files and a ten-line configuration, and gives the configuration's path."""
    generate(folder / "demo", "en", items, queries, 1, seed)
    catalogue = pl.read_csv(folder / "demo" / "items.csv", infer_schema=False)
    title = pl.concat_str(pl.col("brand"), pl.col("title"), separator=" ", ignore_nulls=True)
    catalogue = catalogue.with_columns(title.alias("title")).unique("item_id", maintain_order=True)
    catalogue.select("item_id", "title").write_csv(folder / "items.csv")
    judged = pl.read_csv(folder / "demo" / "searches.csv", infer_schema=False)
    rng = np.random.default_rng(seed)
    judged = judged.with_columns(pl.Series("order", rng.random(judged.height))).sort("query", "order")
    judged = judged.group_by("query", maintain_order=True).head(JUDGED)
    distinct = judged["query"].unique(maintain_order=True)
    asked = distinct.gather(np.sort(rng.choice(len(distinct), min(ASKED, len(distinct) // 4), replace=False)))
    rest = judged.filter(~pl.col("query").is_in(asked.implode()))
    rest.select("query", "item_id", "gain").write_csv(folder / "judgments.csv")
    asked.to_frame("query").with_row_index("query_id").write_csv(folder / "queries.csv")
    path = folder / "shop.yaml"
    path.write_text(
        f"name: csv_shop\nruns_dir: {folder / 'runs'}\n"
        f"data:\n  root: {folder}\n  items: items.csv\n  searches: judgments.csv\n"
        f"training:\n  max_minutes: {minutes}\n"
    )
    return path


def timed(*words: str) -> tuple[float, float]:
    """Runs a tfrec command; seconds and the peak memory in GiB of the largest child so far."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "tfrec", *words], check=True)
    return time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def main() -> None:
    """Generates, trains, searches and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=54_000)
    parser.add_argument("--queries", type=int, default=12_000)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_shop(folder, options.items, options.queries, options.minutes, options.seed)
        train_seconds, memory = timed("train", "--config", str(config))
        run = folder / "runs" / "csv_shop"
        search_seconds, _ = timed(
            "search", "--export", str(run / "export"), "--queries", str(folder / "queries.csv"), "--k", "100",
            "--output", str(folder / "run.trec"),
        )  # fmt: skip
        systems = read_json(run / "metrics.json")["evaluation"]["search"]["systems"]
        result = {
            "items": options.items, "train_minutes": train_seconds / 60, "peak_gib": memory,
            "search_seconds": search_seconds, "ndcg@10": {n: s["means"]["nDCG@10"] for n, s in systems.items()},
        }  # fmt: skip
    print(f"tfrec train: {train_seconds / 60:.1f} min, {memory:.1f} GiB at most; tfrec search: {search_seconds:.0f} s")
    write_json(RESULT, result)


if __name__ == "__main__":
    main()
