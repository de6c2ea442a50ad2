"""Does one query tower for several tasks help any of them? Each task alone, and all of them.

    python benchmarks/shared_tower.py --steps 300
    python benchmarks/shared_tower.py --steps 300 --equal examples
    python benchmarks/shared_tower.py --steps 300 --set data.demo.log=30000 --set data.demo.taste=1

Trains the variants on a shop that has searches and purchases (the demo shop unless --config says otherwise), and with a
search log also what words and history together say; measures all tasks of each on the held-out split, and compares
"all" with the specialist of each task, paired over queries and shoppers. All make the same steps, so that "all" sees
each task's examples a half or a third as often; or, with --equal examples, a specialist makes a half or a third of the
steps, so that each task's examples are seen as often in both. Where every seed holds out the same ones, they are
averaged over seeds; the demo shop is another shop for every seed, so there they are put together. A
finished run is read back. Writes benchmarks/results/shared_tower_NAME_steps.json (or _examples.json).
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
ALL = "all"
METRICS = {"search": "nDCG@10", "recommendation": "Recall@20", "personalised": "nDCG@10"}


def tasks_of(config_path: Path, overrides: Sequence[str]) -> list[str]:
    """The tasks that a shop can be trained for: words and history together need a log."""
    import tfrec

    data = tfrec.load_config(config_path, overrides).data
    log = data.search_log is not None or (data.demo is not None and data.demo.log > 0)
    return [task for task in METRICS if log or task != "personalised"]


def cell(
    config_path: Path, overrides: Sequence[str], variant: str, seed: int, steps: int, tasks: Sequence[str]
) -> dict[str, Any]:
    """Trains (or reads back) one variant, a task or ALL: task -> (what is right for each request, its values [Q])."""
    import tfrec
    from tfrec.pipeline.run_folder import RunFolder

    fixed = ["training.max_minutes=null", "training.epochs=1000", f"training.max_steps={steps}", "training.patience=99"]
    others = [f"training.tasks.{task}=0" for task in tasks if variant not in (ALL, task)]
    everything = [*fixed, *overrides, *others, "evaluation.baselines=[]", f"seed={seed}"]
    everything += ["evaluation.recommendation_baselines=[popularity]", "evaluation.resamples=100"]
    config = tfrec.load_config(config_path, everything)
    config.name = f"{config.name}-tower-{variant}-{steps}-{seed}"
    trained = tfrec.train(config)
    reports = tfrec.evaluate(trained)
    if set(tasks) - set(reports):
        sys.exit(
            f"{config_path} must hold out something of {', '.join(tasks)}: only {', '.join(reports)} can be measured."
        )
    split = {task: found["split"] for task, found in RunFolder(config).metrics()["evaluation"].items() if task in tasks}
    truths: dict[str, Any] = {
        "search": trained.shop.judgments(split["search"]),
        "recommendation": [(s.user_id, s.truth) for s in trained.shop.shoppers(split["recommendation"])],
    }
    if "personalised" in tasks:
        truths["personalised"] = trained.shop.personalised_searches(split["personalised"], config.seed)
    values = {task: reports[task].systems["tfrec"].samples[METRICS[task]] for task in tasks}
    return {task: (truths[task], values[task]) for task in tasks}


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

    tasks = tasks_of(options.config, options.overrides)
    alone = options.steps // len(tasks) if options.equal == "examples" else options.steps
    steps = {variant: options.steps if variant == ALL else alone for variant in (*tasks, ALL)}
    cells = {
        variant: [cell(options.config, options.overrides, variant, seed, many, tasks) for seed in options.seeds]
        for variant, many in steps.items()
    }
    table = Table(title=f"{options.config.stem}: the same {options.equal}, {len(options.seeds)} seeds")
    for column in ("trained on", *(f"{task}: {METRICS[task]}" for task in tasks)):
        table.add_column(column)
    result: dict[str, Any] = {"steps": steps, "seeds": options.seeds, "variants": {}, "all_against": {}}
    for variant, found in cells.items():
        means = {task: float(np.mean([values[task][1].mean() for values in found])) for task in tasks}
        result["variants"][variant] = means
        table.add_row(
            f"{variant}{'' if variant == ALL else ' only'}, {steps[variant]} steps",
            *(f"{means[task]:.4f}" for task in tasks),
        )
    console = Console()
    console.print(table)
    for task in tasks:
        metric = METRICS[task]
        rows = [a[task][1] - b[task][1] for a, b in zip(cells[ALL], cells[task], strict=True)]
        same = all(found[task][0] == cells[ALL][0][task][0] for found in cells[ALL])
        outcome = compare_seeds(rows, metric, options.seeds[0], same)
        result["all_against"][task] = outcome.to_dict()
        verdict = (
            "sharing helps" if outcome.low > 0 else "sharing hurts" if outcome.high < 0 else "sharing shows nothing"
        )
        console.print(f"{task}: {verdict}; all vs {task} only: {outcome.sentence()}", highlight=False)
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"shared_tower_{options.config.stem}_{options.equal}.json", result)


if __name__ == "__main__":
    main()
