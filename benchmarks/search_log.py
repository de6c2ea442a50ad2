"""Measures reading, joining and labelling a large search log: seconds and peak memory of `tfrec data prepare`.

    python benchmarks/search_log.py --rows 10000000 --form ubi
    python benchmarks/search_log.py --rows 1000000 --kill 3

Shoppers of known taste see lists of ten with a known position bias; the log is written as UBI's NDJSON or as a Parquet
table. --kill ends the process with SIGKILL so often at random times before it may finish, and compares the labels with
those of an undisturbed run. Prints one line and writes benchmarks/results/search_log.json.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import yaml
from scipy.stats import spearmanr

from tfrec.data.shop import ShopData
from tfrec.files import write_json

RESULT = Path(__file__).parent / "results" / "search_log.json"
ITEMS, QUERIES, CANDIDATES, DEPTH, CHUNK = 50_000, 100_000, 16, 10, 50_000
EXAMINATION = 1.0 / np.arange(1, DEPTH + 1) ** 0.8
AIM_SECONDS, AIM_GIB = 300, 4.0


def write_log(folder: Path, rows: int, form: str, seed: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Writes items.csv and the log, in files of a chunk each.

    Returns:
        the rows written, the true attractiveness [Q, 16], each query's first item [Q].
    """
    rng = np.random.default_rng(seed)
    pl.DataFrame({"item_id": [f"P{n}" for n in range(ITEMS)], "title": [f"thing {n}" for n in range(ITEMS)]}).write_csv(
        folder / "items.csv"
    )
    attractiveness = rng.beta(1.5, 5.0, (QUERIES, CANDIDATES))
    candidates = rng.integers(0, ITEMS, (QUERIES, 1)) + np.arange(CANDIDATES) * 7
    opinion = rng.random((QUERIES, CANDIDATES)) * 2.0
    often = 1.0 / np.arange(1, QUERIES + 1) ** 0.9
    often /= often.sum()
    written, number = 0, 0
    while written < rows:
        query = rng.choice(QUERIES, CHUNK, p=often)
        order = np.argsort(-(opinion[query] + rng.gumbel(size=(CHUNK, CANDIDATES))), axis=1)[:, :DEPTH]
        clicked = rng.random(order.shape) < attractiveness[query[:, None], order] * EXAMINATION
        bought = clicked & (rng.random(order.shape) < 0.1)
        frame = _events(query, order, clicked, bought, candidates, number, rng).head(rows - written)
        _write(frame, folder, form, number)
        written += frame.height
        number += 1
    return written, attractiveness, candidates[:, 0]


def _events(query, order, clicked, bought, candidates, number, rng) -> pl.DataFrame:
    lists = np.arange(CHUNK)
    item = candidates[query[:, None], order] % ITEMS
    visitor = rng.integers(0, 400_000, CHUNK)
    time_of = 1_735_689_600 + rng.integers(0, 86_400 * 60, CHUNK)

    def some(rows: np.ndarray, places: np.ndarray, action: str, later: int) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "list": lists[rows], "query": query[rows], "visitor": visitor[rows], "time": time_of[rows] + later,
                "item": item[rows, places] if action != "search" else np.full(len(rows), -1), "position": places,
                "action": np.full(len(rows), action),
            }
        )  # fmt: skip

    every = np.repeat(lists, DEPTH), np.tile(np.arange(DEPTH), CHUNK)
    parts = [
        some(lists, np.zeros(CHUNK, np.int64), "search", 0), some(*every, "impression", 0),
        some(*np.nonzero(clicked), "click", 15), some(*np.nonzero(bought), "purchase", 300),
    ]  # fmt: skip
    return pl.concat(parts).sort("list", "time", maintain_order=True).select(
        pl.format("s{}-{}", pl.lit(number), "list").alias("query_id"), pl.format("words {}", "query").alias("query"),
        pl.format("v{}", "visitor").alias("visitor_id"), pl.from_epoch("time").alias("timestamp"), "action",
        pl.when(pl.col("item") >= 0).then(pl.format("P{}", "item")).alias("item_id"),
        pl.when(pl.col("item") >= 0).then("position").alias("position"),
    )  # fmt: skip


def _write(frame: pl.DataFrame, folder: Path, form: str, number: int) -> None:
    if form == "table":
        frame.write_parquet(folder / f"log-{number:04d}.parquet")
        return
    search = pl.col("action") == "search"
    records = frame.select(
        pl.when(search).then(None).otherwise("action").alias("action_name"), "query_id",
        pl.col("visitor_id").alias("client_id"), pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        pl.col("query").alias("user_query"), pl.lit("shop").alias("application"),
        pl.when(search).then(None).otherwise(
            pl.struct(
                pl.struct(pl.col("item_id").alias("object_id"), pl.lit("sku").alias("object_id_field")).alias("object"),
                pl.struct(pl.col("position").alias("ordinal")).alias("position"),
            )
        ).alias("event_attributes"),
    )  # fmt: skip
    records.write_ndjson(folder / f"log-{number:04d}.ndjson")


def _command(folder: Path, name: str) -> list[str]:
    config = {
        "name": name,
        "runs_dir": str(folder / "runs"),
        "data": {"root": str(folder), "items": "items.csv", "search_log": {"path": "log-*"}},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return [sys.executable, "-m", "tfrec", "data", "prepare", "-c", str(folder / f"{name}.yaml")]


def _killed(folder: Path, times: int, seconds: float, seed: int) -> bool:
    """Whether a run that is killed so often ends with the labels of the undisturbed one."""
    rng = random.Random(seed)
    command = _command(folder, "killed")
    for _ in range(times):
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(rng.uniform(0.2, 0.8) * seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    subprocess.run(command, check=True)
    return _shop(folder, "killed").log_labels.equals(_shop(folder, "log").log_labels)


def _shop(folder: Path, name: str) -> ShopData:
    return ShopData.open(next((folder / "runs" / name / "data").glob("[0-9a-f]*")))


def main() -> None:
    """Generates, prepares in a process of its own, measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--form", choices=["ubi", "table"], default="ubi")
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tfrec-log-"))
    try:
        rows, attractiveness, first = write_log(folder, given.rows, given.form, given.seed)
        started = time.monotonic()
        subprocess.run(_command(folder, "log"), check=True)
        seconds = time.monotonic() - started
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak, processor = usage.ru_maxrss / 2**20, usage.ru_utime + usage.ru_stime  # Linux counts in KiB
        shop = _shop(folder, "log")
        model = shop.report["search_log"]["click_model"]
        labels = shop.log_labels.filter(pl.col("confidence") > 0.8)
        query = labels["query"].str.slice(6).cast(pl.Int64).to_numpy()
        place = ((labels["item_id"].str.slice(1).cast(pl.Int64).to_numpy() - first[query]) % ITEMS) // 7
        truth = attractiveness[query, place]
        found = {
            "rows": rows,
            "form": given.form,
            "seconds": round(seconds, 1),
            "processor_seconds": round(processor, 1),
            "gib": round(peak, 2),
            "labels": shop.log_labels.height,
            "model": model["model"],
            "rank_correlation": round(float(spearmanr(labels["attractiveness"].to_numpy(), truth)[0]), 3),
            "rank_correlation_of_ctr": round(float(spearmanr(labels["ctr"].to_numpy(), truth)[0]), 3),
        }
        if given.kill:
            found["same_after_kills"] = _killed(folder, given.kill, seconds, given.seed)
        write_json(given.output, found)
        verdict = "ok" if seconds <= AIM_SECONDS and peak <= AIM_GIB else "MISSED"
        print(f"{verdict}: {found} (aim: {AIM_SECONDS} s, {AIM_GIB} GiB for 10,000,000 rows) -> {given.output}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
