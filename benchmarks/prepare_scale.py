"""Measures `tfrec data prepare` on a large synthetic catalogue: seconds and peak memory of the whole process.

    python benchmarks/prepare_scale.py --items 1000000
    python benchmarks/prepare_scale.py --form joins       # descriptions and categories in tables of their own
    python benchmarks/prepare_scale.py --form variants    # four rows of sizes a product, its title in the first alone
    python benchmarks/prepare_scale.py --items 10000 --purchases 10000000    # and so many purchases, in Parquet
    python benchmarks/prepare_scale.py --items 10000 --purchases 10000000 --later    # and what training holds of them

Prints one line and writes benchmarks/results/prepare_scale.json.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tfrec.data.demo import generate_items
from tfrec.files import read_json, write_json

RESULT = Path(__file__).parent / "results" / "prepare_scale.json"
_PURCHASES_AT_ONCE = 1_000_000
QUERIES, JUDGED = 300, 20
SIZES = ("S", "M", "L", "XL")


def plain(folder: Path) -> dict[str, Any]:
    """The catalogue as one table."""
    return {"path": "items.csv"}


def with_joins(folder: Path) -> dict[str, Any]:
    """Descriptions by item and names of categories by number, in tables that are looked up."""
    items = pl.read_csv(folder / "items.csv", infer_schema=False)
    items.select("item_id", "description").write_csv(folder / "texts.csv")
    names = items.select(pl.col("category").unique(maintain_order=True)).with_row_index("number")
    names.write_csv(folder / "categories.csv")
    items = items.join(names, on="category", how="left", maintain_order="left").drop("description", "category")
    items.write_csv(folder / "items.csv")
    return {
        "path": "items.csv",
        "join": [
            {"path": "texts.csv", "on": "item_id", "columns": {"description": "description"}},
            {"path": "categories.csv", "on": "number", "columns": {"category": "category"}},
        ],
    }


def with_variants(folder: Path) -> dict[str, Any]:
    """Each product of four has rows of the next three as its sizes, which name it and have no words of their own."""
    items = pl.read_csv(folder / "items.csv", infer_schema=False).with_row_index("at")
    leads = pl.col("at") % len(SIZES) == 0
    texts = [name for name in items.columns if name not in ("at", "item_id", "price")]
    items.select(
        pl.col("item_id").alias("sku"),
        pl.col("item_id").gather(pl.col("at") // len(SIZES) * len(SIZES)).alias("item_id"),
        (pl.col("at") % len(SIZES)).replace_strict(dict(enumerate(SIZES))).alias("size"),
        "price",
        *(pl.when(leads).then(name).otherwise(pl.lit("")).alias(name) for name in texts),
    ).write_csv(folder / "items.csv")
    return {"path": "items.csv", "aliases": ["sku"], "variants": {"options": ["size"]}}


FORMS = {"plain": plain, "joins": with_joins, "variants": with_variants}


def write_purchases(file: Path, count: int, items: Path, seed: int) -> None:
    """Writes purchases: a tenth as many shoppers, items by a power law, two years, no order."""
    ids = pl.scan_csv(items, infer_schema=False).select("item_id").collect()["item_id"]
    draw = np.random.default_rng(seed)
    with pq.ParquetWriter(
        file, pa.schema({"user_id": pa.string(), "item_id": pa.string(), "timestamp": pa.int64()})
    ) as out:
        for start in range(0, count, _PURCHASES_AT_ONCE):
            size = min(_PURCHASES_AT_ONCE, count - start)
            chosen = (len(ids) * draw.random(size) ** 3).astype(np.int64)
            frame = pl.DataFrame(
                {
                    "user_id": draw.integers(max(count // 10, 1), size=size),
                    "item_id": ids.gather(chosen),
                    "timestamp": 1_700_000_000 + draw.integers(2 * 365 * 86_400, size=size),
                }
            )
            out.write_table(
                frame.with_columns(pl.format("u{}", "user_id").alias("user_id")).to_arrow().cast(out.schema)
            )


def write_shop(folder: Path, count: int, form: str, seed: int, purchases: int = 0) -> Path:
    """Writes items.csv and searches.csv of a shop, and its configuration.

    Args:
        folder: where to.
        count: the number of rows of items.csv.
        form: of the catalogue, one of FORMS.
        seed: the seed.
        purchases: rows of purchases.parquet; 0 for none.

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
        "data": {"root": str(folder), "items": FORMS[form](folder), "searches": "searches.csv"},
    }
    if purchases:
        write_purchases(folder / "purchases.parquet", purchases, folder / "items.csv", seed)
        tree["data"]["interactions"] = "purchases.parquet"  # type: ignore[index]
    (folder / "scale.yaml").write_text(yaml.safe_dump(tree))
    return folder / "scale.yaml"


def main() -> None:
    """Generates, prepares in a process of its own, measures."""
    parser = argparse.ArgumentParser(description="Seconds and peak memory of `tfrec data prepare`.")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--form", choices=FORMS, default="plain")
    parser.add_argument("--purchases", type=int, default=0)
    parser.add_argument("--later", action="store_true", help="measure what later stages hold, too")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_shop(folder, given.items, given.form, given.seed, given.purchases)
        files = [*folder.glob("*.csv"), *folder.glob("*.parquet")]
        megabytes = sum(file.stat().st_size for file in files) / 1e6
        started = time.monotonic()
        program = "from tfrec.cli.data import app; app()"
        subprocess.run([sys.executable, "-c", program, "prepare", "--config", str(config)], check=True)
        seconds = time.monotonic() - started
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak, processor = usage.ru_maxrss / 2**20, usage.ru_utime + usage.ru_stime  # Linux counts in KiB
        prepared = next((folder / "runs" / "scale" / "data").glob("*/report.json")).parent
        report = read_json(prepared / "report.json")["items"]
        later: dict[str, Any] = {}
        if given.later:
            command = [sys.executable, Path(__file__).with_name("purchases_later.py"), prepared]
            later = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    result = {
        "form": given.form,
        "items": given.items,
        "purchases": given.purchases,
        "rows_read": report["rows_read"],
        "rows_kept": report["rows_kept"],
        "megabytes": round(megabytes, 1),
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "peak_gib": round(peak, 2),
        "items_per_second": round(given.items / seconds),
        "later_gib": later,
    }
    write_json(given.output, result)
    print(
        f"{result['rows_read']:,} rows and {given.purchases:,} purchases ({megabytes:.0f} MB) in {seconds:.1f} s "
        f"({processor:.1f} s of the processor), "
        f"{given.items / seconds:,.0f} items/s, peak memory {peak:.2f} GiB -> {given.output}"
    )
    for step, (held, highest) in later.items():
        print(f"later, {step}: {held:.2f} GiB held, {highest:.2f} GiB at most")


if __name__ == "__main__":
    main()
