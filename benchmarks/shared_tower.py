"""Does one query tower for search and recommendation help either? Search only, recommendation only, both.

    python benchmarks/shared_tower.py --steps 300
    python benchmarks/shared_tower.py --steps 300 --equal examples

Trains the three variants on a shop that has searches and purchases (the demo shop unless --config says otherwise),
measures both tasks of each on the held-out split, and compares "both" with the specialist of each task, paired over
queries and shoppers. All make the same steps, so that "both" sees each task's examples half as often; or, with --equal
examples, a specialist makes half the steps, so that each task's examples are seen as often in both. Where every seed
holds out the same ones, they are averaged over seeds; the demo shop is another shop for every seed, so there they are
put together. A finished run is read back. Writes benchmarks/results/shared_tower_NAME_steps.json (or _examples.json).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
BOTH = "both"
VARIANTS = {
    "search only": ["training.tasks.recommendation=0"],
    "recommendation only": ["training.tasks.search=0"],
    BOTH: [],
}
METRICS = {"search": "nDCG@10", "recommendation": "Recall@20"}


def cell(config_path: Path, overrides: Sequence[str], variant: str, seed: int, steps: int) -> dict[str, Any]:
    """Trains (or reads back) one variant: task -> (what is right for each request, its values float64 [requests])."""
    import tfrec
    from tfrec.pipeline.run_folder import RunFolder

    fixed = ["training.max_minutes=null", "training.epochs=1000", f"training.max_steps={steps}", "training.patience=99"]
    everything = [*fixed, *overrides, *VARIANTS[variant], "evaluation.baselines=[]", f"seed={seed}"]
    everything += ["evaluation.recommendation_baselines=[popularity]", "evaluation.resamples=100"]
    config = tfrec.load_config(config_path, everything)
    config.name = f"{config.name}-tower-{variant.replace(' ', '-')}-{steps}-{seed}"
    trained = tfrec.train(config)
    reports = tfrec.evaluate(trained)
    if set(METRICS) - set(reports):
        sys.exit(f"{config_path} must hold out both searches and purchases: only {', '.join(reports)} can be measured.")
    split = {
        task: found["split"] for task, found in RunFolder(config).metrics()["evaluation"].items() if task in METRICS
    }
    truths = {
        "search": trained.shop.judgments(split["search"]),
        "recommendation": [(s.user_id, s.truth) for s in trained.shop.shoppers(split["recommendation"])],
    }
    values = {task: reports[task].systems["tfrec"].samples[metric] for task, metric in METRICS.items()}
    return {task: (truths[task], values[task]) for task in METRICS}


def compare_seeds(rows: Sequence[Any], metric: str, seed: int, same: bool) -> Any:
    """Paired comparison from each seed's differences: averaged if they are of the same requests, else put together."""
    from tfrec.evaluation.significance import compare, mean_over_seeds

    if same:
        return mean_over_seeds(rows, seed, metric)
    together = np.concatenate(rows)
    return compare(together, np.zeros_like(together), seed, metric)


def main() -> None:
    """Runs the cells and prints the table and what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--seeds", type=int, nargs="+", default=[17])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--equal", choices=["steps", "examples"], default="steps", help="what the variants have alike")
    options = parser.parse_args()

    from rich.console import Console
    from rich.table import Table

    from tfrec.files import write_json

    alone = options.steps // 2 if options.equal == "examples" else options.steps
    steps = {variant: options.steps if variant == BOTH else alone for variant in VARIANTS}
    cells = {
        variant: [cell(options.config, options.overrides, variant, seed, steps[variant]) for seed in options.seeds]
        for variant in VARIANTS
    }
    table = Table(title=f"{options.config.stem}: the same {options.equal}, {len(options.seeds)} seeds")
    for column in ("trained on", *(f"{task}: {metric}" for task, metric in METRICS.items())):
        table.add_column(column)
    result: dict[str, Any] = {"steps": steps, "seeds": options.seeds, "variants": {}, "both_against": {}}
    for variant, found in cells.items():
        means = {task: float(np.mean([values[task][1].mean() for values in found])) for task in METRICS}
        result["variants"][variant] = means
        table.add_row(f"{variant}, {steps[variant]} steps", *(f"{means[task]:.4f}" for task in METRICS))
    console = Console()
    console.print(table)
    for task, metric in METRICS.items():
        special = f"{task} only"
        rows = [a[task][1] - b[task][1] for a, b in zip(cells[BOTH], cells[special], strict=True)]
        same = all(found[task][0] == cells[BOTH][0][task][0] for found in cells[BOTH])
        outcome = compare_seeds(rows, metric, options.seeds[0], same)
        result["both_against"][special] = outcome.to_dict()
        verdict = (
            "sharing helps" if outcome.low > 0 else "sharing hurts" if outcome.high < 0 else "sharing shows nothing"
        )
        console.print(f"{task}: {verdict}; both vs {special}: {outcome.sentence()}", highlight=False)
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"shared_tower_{options.config.stem}_{options.equal}.json", result)


if __name__ == "__main__":
    main()
