"""Search quality over several seeds: the fine-tuned model beside BM25 and the zero-shot encoder, with paired intervals.

    python benchmarks/search_quality.py --config configs/esci.yaml --set data.root=FOLDER --seeds 17 18 19

Trains one run per seed (a finished one is read back), averages each query's scores over the seeds and compares with
each baseline on the same queries. Needs a split column, so that all seeds hold out the same queries. Prints a table and
writes benchmarks/results/search_quality_NAME.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

METRIC = "nDCG@10"


def run_seed(config_path: Path, overrides: list[str], seed: int) -> tuple[Any, dict[str, Any], float | None]:
    """Trains (or reads back) one seed and evaluates search; also with fusion weights of other queries."""
    import tfrec
    from tfrec.files import read_json
    from tfrec.pipeline.run_folder import RunFolder

    name = tfrec.load_config(config_path, overrides).name
    config = tfrec.load_config(config_path, [*overrides, f"seed={seed}", f"name={name}-seed{seed}"])
    trained = tfrec.train(config)
    report = tfrec.evaluate(trained)["search"]
    chosen = RunFolder(config).retrieval / "fusion.json"
    held_out = read_json(chosen)["tasks"]["search"].get("dev_held_out") if chosen.is_file() else None
    return report, trained.summary, held_out


def main() -> None:
    """Runs all seeds and prints what they say together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/esci.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--seeds", type=int, nargs="+", default=[17, 18, 19])
    options = parser.parse_args()

    from rich.console import Console
    from rich.table import Table

    from tfrec.evaluation.significance import mean_over_seeds
    from tfrec.files import write_json

    runs = [run_seed(options.config, options.overrides, seed) for seed in options.seeds]
    reports, summaries, held_out = zip(*runs, strict=True)
    if any(report.systems["tfrec"].query_ids != reports[0].systems["tfrec"].query_ids for report in reports):
        sys.exit("The seeds hold out different queries: give the searches a split column.")
    console = Console()
    table = Table(title=f"{reports[0].title}, {len(options.seeds)} seeds")
    for column in ("system", f"{METRIC} (mean over seeds)", "per seed"):
        table.add_column(column)
    result: dict[str, Any] = {"seeds": options.seeds, "minutes": [s["seconds"] / 60 for s in summaries], "systems": {}}
    for system in reports[0].systems:
        means = [report.systems[system].means[METRIC] for report in reports]
        result["systems"][system] = means
        table.add_row(system, f"{np.mean(means):.4f}", "  ".join(f"{mean:.4f}" for mean in means))
    console.print(table)
    result["comparisons"] = {}
    for baseline in [name for name in reports[0].systems if name != "tfrec"]:
        differences = [
            report.systems["tfrec"].samples[METRIC] - report.systems[baseline].samples[METRIC] for report in reports
        ]
        comparison = mean_over_seeds(differences, options.seeds[0], METRIC)
        result["comparisons"][baseline] = comparison.to_dict()
        console.print(f"tfrec vs {baseline}: {comparison.sentence()}", highlight=False)
    if None not in held_out:
        values = "  ".join(f"{value:.4f}" for value in held_out)
        console.print(f"tfrec with weights chosen on other dev queries: {np.mean(held_out):.4f}  ({values})")
        result["held_out"] = held_out
    minutes = ", ".join(f"{m:.1f}" for m in result["minutes"])
    console.print(f"Training took {minutes} minutes.", highlight=False)
    name = options.config.stem
    write_json(Path("benchmarks/results") / f"search_quality_{name}.json", result)


if __name__ == "__main__":
    main()
