"""Bulk encoding: rows per second of `tfrec encode` with one process and with two, and what 10^8 items would take.

    python benchmarks/encode.py
    python benchmarks/encode.py --rows 2000 --encoder tiny

An export with start values (benchmarks/serving_export.py) encodes short texts. Both runs start cold; loading the export
is taken out, measured on a table of one row. Writes benchmarks/results/encode.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # before this folder, which holds a serving.py: "serving" is the package

from serving_export import make, queries  # noqa: E402

from tfrec.export.encoded import ROWS_PER_PART  # noqa: E402
from tfrec.files import write_json  # noqa: E402

RESULT = Path(__file__).parent / "results" / "encode.json"
ITEMS = 10**8


def seconds(table: Path, export: Path, folder: Path, processes: int) -> float:
    """What it takes to encode a table with some processes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_NUM_INTRAOP_THREADS": "1"}
    command = [sys.executable, "-m", "tfrec", "encode", str(table), "--export", str(export), "--output", str(folder)]
    since = time.perf_counter()
    running = [
        subprocess.Popen([*command, f"--shard={number}/{processes}"], env=environment, stdout=subprocess.DEVNULL)
        for number in range(processes)
    ]
    for process in running:
        if process.wait():
            raise SystemExit("tfrec encode failed")
    return time.perf_counter() - since


def main() -> None:
    """Prints the table."""
    import polars as pl

    parser = argparse.ArgumentParser(description="Bulk encoding with one process and with two.")
    parser.add_argument("--rows", type=int, default=4 * ROWS_PER_PART)
    parser.add_argument("--encoder", default="minilm")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        (base / "export").mkdir()
        export = make(base / "export", 1000, given.encoder)
        some = queries(2000)
        texts = [f"{some[row % 2000]} {some[(7 * row) % 1999]} {row}" for row in range(given.rows)]
        frame = pl.DataFrame({"item_id": [f"i{row}" for row in range(given.rows)], "text": texts})
        frame.write_parquet(base / "items.parquet")
        frame[:1].write_parquet(base / "one.parquet")
        found: dict[str, Any] = {}
        for processes in (1, 2):
            loading = seconds(base / "one.parquet", export, base / f"one-{processes}", processes)
            whole = seconds(base / "items.parquet", export, base / f"all-{processes}", processes)
            rate = given.rows / max(whole - loading, 1e-9)
            hours = ITEMS / rate / 3600
            found[f"{processes} processes"] = {
                "rows_per_second": round(rate), "loading_s": round(loading, 1), "hours_for_1e8": round(hours, 1)
            }  # fmt: skip
        names = [[file.read_bytes() for file in sorted((base / f"all-{one}").iterdir())] for one in (1, 2)]
        size = sum(map(len, names[0])) / given.rows
    result = {
        "rows": given.rows, "words_per_text": round(sum(len(text.split()) for text in texts) / given.rows, 1),
        **found, "same_bytes": names[0] == names[1], "gigabytes_for_1e8": round(size * ITEMS / 1e9, 1),
    }  # fmt: skip
    write_json(RESULT, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
