"""Simulated purchases: how near they are to real ones, and what training with them is worth to whom.

    python benchmarks/behaviour.py --config configs/online_retail.yaml --set data.root=FOLDER --seeds 1 2 3

First the distances between the simulated and the real marginals (basket size, time, popularity). Then, for each seed,
two trainings of the same number of steps, without and with simulated purchases, compared on the same dev shoppers by
how many items they had taken before (paired 95 % intervals over shoppers). `--marginals` stops after the first part.
Writes JSON to benchmarks/results; a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lift import FIXED, RESULTS  # noqa: E402

VARIANTS = {
    "without": ["synthesis.enabled=false"],
    "with": ["synthesis.enabled=true", "synthesis.sources=[behaviour]", "synthesis.behaviour.clicks.enabled=false"],
}
BANDS = ((1, 5), (6, 20), (21, 60), (61, 10**9))
METRICS = ("Recall@20", "nDCG@20")


def marginals(options: argparse.Namespace) -> dict[str, Any]:
    """Makes the samples of the first seed and reads how far they are from the truth."""
    import tfrec
    from tfrec.files import read_json
    from tfrec.pipeline.api import make_samples
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.synth.behaviour.behaviour_source import MARGINALS

    config = tfrec.load_config(options.config, [*overrides(options, "with", options.seeds[0])])
    started = time.monotonic()
    _, examples = make_samples(config)
    seconds = time.monotonic() - started
    found = read_json(RunFolder(config).synthetic / "behaviour" / "work" / MARGINALS)
    return found | {"examples": examples.size, "seconds": round(seconds, 1)}


def overrides(options: argparse.Namespace, variant: str, seed: int) -> list[str]:
    """The configuration of a cell."""
    own = [f"name=behaviour-{options.config.stem}-{variant}-{seed}", f"seed={seed}"]
    return [*FIXED, f"training.max_steps={options.steps}", *options.overrides, *VARIANTS[variant], *own]


def cell(options: argparse.Namespace, variant: str, seed: int) -> dict[str, Any]:
    """Trains one cell, or reads it back: history length and metrics of every dev shopper."""
    import tfrec
    from tfrec.evaluation.recommendation import CUT, evaluate_recommendations
    from tfrec.evaluation.retrieval import top_k
    from tfrec.files import write_json

    config = tfrec.load_config(options.config, overrides(options, variant, seed))
    key = config.hash_of(*(name for name in type(config).model_fields if name != "name"))[:16]
    path = RESULTS / "cells" / f"behaviour-{key}.json"
    if path.is_file():
        return json.loads(path.read_text())
    trained = tfrec.train(config)
    shoppers = trained.shop.shoppers("dev")
    past = [shopper.history for shopper in shoppers]
    vectors = trained.model.query_vectors([""] * len(shoppers), past)
    ranked, _ = top_k(vectors, trained.catalogue, CUT, exclude=past)
    scored = evaluate_recommendations([shopper.truth for shopper in shoppers], ranked, trained.shop.size)
    found = {"taken": [len(items) for items in past], **{name: scored.per_user[name].tolist() for name in METRICS}}
    write_json(path, found)
    return found


def print_bands(cells: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Prints quality per band of shoppers, without and with; gives the same as JSON."""
    from rich.console import Console
    from rich.table import Table

    from tfrec.evaluation.significance import mean_over_seeds

    table = Table(title=f"Dev shoppers by items taken before, mean of {len(cells['with'])} seeds")
    for column in ("band", "shoppers", "metric", "without", "with", "difference"):
        table.add_column(column)
    output: dict[str, Any] = {}
    for low, high in (*BANDS, (1, 10**9)):
        label = "all" if (low, high) == (1, 10**9) else f"{low}+" if high == 10**9 else f"{low}-{high}"
        taken = np.array(cells["with"][0]["taken"])
        inside = (taken >= low) & (taken <= high)
        if not inside.any():
            continue
        for metric in METRICS:
            a, b = (np.array([one[metric] for one in cells[variant]])[:, inside] for variant in ("with", "without"))
            compared = mean_over_seeds((a - b).tolist(), 0, metric)
            values = {"shoppers": int(inside.sum()), "without": float(b.mean()), "with": float(a.mean())}
            output.setdefault(label, {})[metric] = {**values, **compared.to_dict()}
            table.add_row(
                label, f"{inside.sum():,}", metric, f"{b.mean():.4f}", f"{a.mean():.4f}",
                f"{compared.difference:+.4f} [{compared.low:+.4f}, {compared.high:+.4f}]",
            )  # fmt: skip
    Console(width=140).print(table)
    return output


def main() -> None:
    """Makes the samples, trains every cell and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/online_retail.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--marginals", action="store_true", help="only compare marginals, train nothing")
    options = parser.parse_args()
    from tfrec.cli.synth import print_marginals
    from tfrec.files import write_json

    result: dict[str, Any] = {"marginals": marginals(options)}
    print_marginals(result["marginals"])
    print(f"{result['marginals']['examples']:,} examples in {result['marginals']['seconds']} s with the encoder")
    target = RESULTS / f"behaviour_{options.config.stem}.json"
    if not options.marginals:
        cells: dict[str, list[dict[str, Any]]] = {variant: [] for variant in VARIANTS}
        for seed in options.seeds:
            for variant in VARIANTS:
                cells[variant].append(cell(options, variant, seed))
        result["bands"] = print_bands(cells)
    write_json(target, {"options": vars(options) | {"config": str(options.config)}, **result})


if __name__ == "__main__":
    main()
