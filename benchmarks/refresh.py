"""Six simulated weeks of a shop that changes: what `tfrec refresh` is worth beside its alternatives.

    python benchmarks/refresh.py --folder FOLDER
    python benchmarks/refresh.py --folder FOLDER --only refresh --set update.replay=0.3 --label replay3
    python benchmarks/refresh.py --folder OTHER --weeks 1 --steps 800

The shop is that of simulated_weeks.py. Each strategy has the same files at each week's end, and is then asked what was
typed and bought in the week after:

never     the version of week 0 serves on
full      trained from the pretrained weights again, without a gate
refresh   `tfrec refresh`, with its gate; what is promoted is asked
naive     trained on what is new alone: no older examples, no penalty, no mixture, no gate

nDCG@10 of the next week's queries, Recall@20 and nDCG@20 of its purchases, nDCG@10 of old queries that no file holds,
over products that are sold in every week (forgetting); minutes of the clock and of the processor. A cell, that is a
strategy in a week, is a process of its own and is kept; a stopped benchmark goes on where it was. The shop is small:
with `--steps` a full training takes as long as a larger shop's does. Writes benchmarks/results/refresh.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from simulated_weeks import WEEKS, ChangingShop  # noqa: E402

RESULT = Path(__file__).parent / "results" / "refresh.json"
STRATEGIES = ("never", "full", "refresh", "naive")
NAIVE = ["update.replay=0", "update.mixture=1.0", "update.anchor=0"]
CONFIG = """name: base
data: {root: shop, items: items.csv, searches: searches.csv, interactions: purchases.csv,
  template: "{brand} {title} {color} {material} {category}", split: {few_queries: 0, dev_days: 14}}
encoder: {name: minilm, freeze: "top:3", query_tokens: 16, item_tokens: 32}
model: {spelling: false}
synthesis: {enabled: false}
augment: {policy: none}
understanding: {enabled: false}
ranking: {enabled: never}
training: {batch_size: 32, max_steps: STEPS, evaluations: 2, learning_rate: 1.0e-4}
update: {max_minutes: null}
evaluation: {resamples: 500, baselines: [], recommendation_baselines: []}
export: {warmup_requests: 1}
lifecycle: {keep: {versions: 2, days: 0}}
"""


def config_of(folder: Path, name: str, overrides: Sequence[str] = ()) -> Any:
    """The configuration of a strategy's run."""
    import tfrec

    return tfrec.load_config(folder / "shop.yaml", [f"name={name}", *overrides])


def run_cell(folder: Path, strategy: str, label: str, week: int, overrides: Sequence[str]) -> None:
    """Brings one strategy through one week's end and asks it; writes cells/LABEL-WEEK.json."""
    from tfrec.files import atomic_directory, write_json

    shop = ChangingShop(folder)
    shop.write(folder / "shop", week)
    if not (run := folder / "runs" / label).exists() and label != "base" and strategy not in ("never", "full"):
        with atomic_directory(run) as aside:
            shutil.copytree(folder / "runs" / "base", aside, symlinks=True, dirs_exist_ok=True)
    clock, processor = time.monotonic(), time.process_time()
    export, told = _version(folder, strategy, label, week, overrides)
    spent = {"minutes": (time.monotonic() - clock) / 60, "processor_minutes": (time.process_time() - processor) / 60}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    asked = {} if label == "base" else measured(shop, export, week)
    write_json(folder / "cells" / f"{label}-{week}.json", {"told": told, "gib": peak, **spent, **asked})


def _version(folder: Path, strategy: str, label: str, week: int, overrides: Sequence[str]) -> tuple[Path, list[str]]:
    """The version that a strategy serves at a week's end, and what was done for it."""
    from tfrec.lifecycle.act_log import standing
    from tfrec.lifecycle.models_config import Servers
    from tfrec.lifecycle.refresh import refresh, told
    from tfrec.pipeline import api
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.pipeline.update import update

    if strategy == "never":
        return folder / "runs" / "base" / "export" / "1", []
    if strategy == "full":
        trained = api.train(config_of(folder, f"full-{week}", overrides))
        return api.export(trained), [f"{trained.summary['steps']} steps"]
    if strategy == "naive":
        done = update(config_of(folder, label, [*NAIVE, *overrides]))
        assert done.export is not None
        return done.export, [told(done)]
    config = config_of(folder, label, overrides)
    export = RunFolder(config).export
    refreshed = refresh(config, Servers(export, config.name))
    return export / str(standing(export).stable), [refreshed.outcome, *refreshed.told]


def measured(shop: ChangingShop, export: Path, week: int) -> dict[str, Any]:
    """What a version is worth in the week after, per query and shopper."""
    from tfrec.evaluation.metrics import NDCG, evaluate_rankings
    from tfrec.evaluation.recommendation import evaluate_recommendations
    from tfrec.export.loaded import LoadedModel

    model, there = LoadedModel.open(export), shop.items(week)

    def searched(judged: dict[str, dict[str, float]], among: set[str]) -> list[float]:
        wanted = {query: {i: g for i, g in gains.items() if i in among} for query, gains in judged.items()}
        wanted = {query: gains for query, gains in wanted.items() if any(gains.values())}
        found = model.search(list(wanted), 200)
        kept = {q: found.hits(row) for row, q in enumerate(wanted)}
        if among is not there:
            kept = {query: [hit for hit in hits if hit[0] in among] for query, hits in kept.items()}
        return evaluate_rankings(wanted, kept).per_query[NDCG].tolist()

    histories: dict[str, list[str]] = {}
    for one in shop.purchases(-99, week):
        if int(one.row[5]) > 0:
            histories.setdefault(one.user, []).append(one.item)
    bought: dict[str, set[str]] = {}
    for one in shop.purchases(week + 1, week + 1):
        if int(one.row[5]) > 0 and one.item in there and one.item not in histories.get(one.user, []):
            bought.setdefault(one.user, set()).add(one.item)
    users = sorted(set(bought) & set(histories))
    rows = {item: row for row, item in enumerate(sorted(shop.items(0) | there))}
    answers = model.recommend([histories[user] for user in users], 20).item_ids.tolist()
    ranked = np.array([[rows.get(item, -1) for item in row] for row in answers], np.int32)
    scored = evaluate_recommendations([[rows[item] for item in bought[user]] for user in users], ranked, len(rows))
    return {
        "next_queries": searched(shop.queries(week + 1), there),
        "old_queries": searched(shop.old_queries, shop.lasting),
        "recall": scored.per_user["Recall@20"].tolist(),
        "ndcg": scored.per_user["nDCG@20"].tolist(),
    }


def table(folder: Path, labels: Sequence[str]) -> dict[str, Any]:
    """Prints the means over the weeks, and gives all of it."""
    from tfrec.evaluation.significance import compare

    cells = {
        (label, week): json.loads(path.read_text())
        for label in labels for week in range(1, WEEKS + 1)
        if (path := folder / "cells" / f"{label}-{week}.json").is_file()
    }  # fmt: skip
    weeks = [week for week in range(1, WEEKS + 1) if all((label, week) in cells for label in labels)]
    names = ("next_queries", "old_queries", "recall", "ndcg")
    pooled = {label: {n: np.concatenate([cells[label, w][n] for w in weeks]) for n in names} for label in labels}
    print(
        f"Mean of weeks {weeks}: nDCG@10 of next week's queries, of old ones; Recall@20, nDCG@20 of purchases; minutes"
    )
    result: dict[str, Any] = {"weeks": weeks, "strategies": {}}
    for label in labels:
        told = {name: round(float(values.mean()), 4) for name, values in pooled[label].items()}
        for name in ("minutes", "processor_minutes"):
            told[name] = round(float(np.mean([cells[label, week][name] for week in weeks])), 2)
        told["each"] = [{n: round(float(np.mean(cells[label, w][n])), 4) for n in names} for w in weeks]
        told["told"] = [cells[label, week]["told"] for week in weeks]
        for other in ("full", "never"):
            if label != other and other in labels:
                told[f"against_{other}"] = {
                    n: compare(pooled[label][n], pooled[other][n], metric=n).to_dict() for n in names
                }  # fmt: skip
        result["strategies"][label] = told
        shown = "  ".join(f"{told[name]:.4f}" for name in names)
        print(f"{label:12} {shown}  {told['minutes']:.2f} clock  {told['processor_minutes']:.2f} processor")
    for label in labels:
        for other, compared in ((o, result["strategies"][label].get(f"against_{o}")) for o in ("full", "never")):
            for name, one in (compared or {}).items():
                print(f"{label} - {other}, {name}: {one['sentence']}")
    return result


def main() -> None:
    """Brings every strategy through the weeks, each cell in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--only", choices=STRATEGIES, nargs="+", default=list(STRATEGIES))
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="of refresh alone")
    parser.add_argument("--label", help="a name for refresh with these settings")
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--steps", type=int, default=80, help="of a full training; an update takes its examples' share")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    parser.add_argument("--cell", nargs=3, metavar=("STRATEGY", "LABEL", "WEEK"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.cell:
        strategy, label, week = given.cell
        run_cell(folder, strategy, label, int(week), given.overrides)
        return
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    (folder / "shop.yaml").write_text(CONFIG.replace("STEPS", str(given.steps)))
    labels = {strategy: given.label or strategy if strategy == "refresh" else strategy for strategy in given.only}
    order = [("refresh", "base", 0)]
    order += [(strategy, labels[strategy], week) for week in range(1, given.weeks + 1) for strategy in given.only]
    for strategy, label, week in order if not given.table else []:
        if (folder / "cells" / f"{label}-{week}.json").is_file():
            continue
        command = [sys.executable, __file__, "--folder", str(folder), "--cell", strategy, label, str(week)]
        own = [f"--set={override}" for override in given.overrides] if strategy == "refresh" and week else []
        subprocess.run([*command, *own], check=True)
        print(f"{time.strftime('%H:%M:%S')} {label} week {week} done", flush=True)
    found = sorted({path.stem.rpartition("-")[0] for path in (folder / "cells").glob("*-*.json")} - {"base"})
    result = table(folder, [*(s for s in STRATEGIES if s in found), *(x for x in found if x not in STRATEGIES)])
    from tfrec.files import write_json

    write_json(RESULT, result)


if __name__ == "__main__":
    main()
