"""Making, checking and labelling samples: seconds of each step, memory, and what a second run costs.

    python benchmarks/synthesis_speed.py --samples 100000 --items 20000
    python benchmarks/synthesis_speed.py --samples 100000 --config configs/esci.yaml --set data.root=FOLDER

Runs `tfrec synth run` as a user would, in processes of their own: once for a few samples, which prepares the data and
encodes the catalogue; then for `--samples`, by templates and by labels spread to similar queries and items, through all
checks; then the same again, which must find everything made. Without --config a shop is generated. Prints the steps
and whether they hold the aim (100,000 samples within 30 minutes and 6 GiB); writes
benchmarks/results/synthesis_speed.json.
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

RESULT = Path(__file__).parent / "results" / "synthesis_speed.json"
AIM_SAMPLES, AIM_SECONDS, AIM_GIB = 100_000, 30 * 60, 6.0
SHORT_OF_AIM = 0.98  # of the samples: a small catalogue yields a little less than asked for
SPREAD_SHARE = 0.15  # of the samples at most; the templates make the rest
LABELLED = 600  # queries of the generated shop
FEW = 200  # samples of the run before


def write_shop(folder: Path, items: int, seed: int) -> Path:
    """Generates a shop with LABELLED queries and gives its configuration's path."""
    from tfrec.data.demo import generate

    generate(folder / "shop", "en", items, LABELLED, 1, seed)
    path = folder / "speed.yaml"
    path.write_text(
        f"data:\n  root: {folder / 'shop'}\n  items: items.csv\n  searches: searches.csv\n"
        '  template: "{brand} {title} {color} {material} {category}"\n'
    )
    return path


def synth_run(config: Path, overrides: list[str], samples: int, runs: Path) -> dict[str, float]:
    """Seconds and peak memory in GiB of one `tfrec synth run`."""
    spread = int(SPREAD_SHARE * samples)
    own = [
        "name=synthesis-speed", f"runs_dir={runs}", "synthesis.sources=[templates, expansion]",
        f"synthesis.templates.queries={samples - spread}", f"synthesis.expansion.most={spread}",
    ]  # fmt: skip
    words = [word for one in (*overrides, *own) for word in ("--set", one)]
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "tfrec", "synth", "run", "-c", str(config), *words])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"tfrec synth run ended with status {status}")
    return {"seconds": time.monotonic() - started, "gib": usage.ru_maxrss / 2**20}  # Linux counts in KiB


def print_steps(report: dict[str, Any], runs: dict[str, dict[str, float]]) -> None:
    """Prints where the time went."""
    from rich.console import Console
    from rich.table import Table

    table = Table("step", "samples", "seconds", "samples/s")
    rows = [(f"make: {name}", row["samples"], row["seconds"]) for name, row in report["sources"].items()]
    rows += [("encode queries", None, report["seconds"]["query_vectors"])]
    rows += [(f"check: {check['name']}", check["seen"], check["seconds"]) for check in report["checks"]]
    rows += [("label and write", report["whole"]["examples"], report["seconds"]["labels_and_shards"])]
    rows += [("all of it", report["whole"]["samples"], report["whole"]["seconds"])]
    for name, count, seconds in rows:
        shown = ("", "") if count is None else (f"{count:,}", f"{count / max(seconds, 1e-3):,.0f}")
        table.add_row(name, shown[0], f"{seconds:.1f}", shown[1])
    for name, one in runs.items():
        table.add_row(f"process: {name}", "", f"{one['seconds']:.1f}", f"{one['gib']:.2f} GiB")
    Console(width=100).print(table)


def main() -> None:
    """Runs it three times and prints the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=AIM_SAMPLES)
    parser.add_argument("--items", type=int, default=20_000, help="of the generated shop")
    parser.add_argument("--config", type=Path, help="of a shop of one's own")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    from tfrec.files import read_json, write_json

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = options.config or write_shop(folder, options.items, options.seed)
        overrides = [*options.overrides, f"seed={options.seed}"]
        runs = {"data, catalogue and a few samples": synth_run(config, overrides, FEW, folder / "runs")}
        runs["all samples"] = synth_run(config, overrides, options.samples, folder / "runs")
        examples = folder / "runs" / "synthesis-speed" / "synthetic" / "examples"
        report = read_json(examples / "report.json")
        runs["the same again"] = synth_run(config, overrides, options.samples, folder / "runs")
        items = options.items if options.config is None else None
    print_steps(report, runs)
    made, full = report["whole"]["samples"], runs["all samples"]
    within = full["seconds"] <= AIM_SECONDS and full["gib"] <= AIM_GIB
    verdict = "too few to say" if made < SHORT_OF_AIM * AIM_SAMPLES else "holds" if within else "FAILS"
    print(
        f"{verdict}: {made:,} samples in {full['seconds'] / 60:.1f} min, at most {full['gib']:.2f} GiB "
        f"(aim: {AIM_SAMPLES:,} in {AIM_SECONDS / 60:.0f} min and {AIM_GIB:.0f} GiB)"
    )
    write_json(RESULT, {"items": items, "runs": runs, "verdict": verdict, "report": report})


if __name__ == "__main__":
    main()
